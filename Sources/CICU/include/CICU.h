#pragma once
#include <stdint.h>

// What we use of ICU, without its headers: Foundation carries an ICU of its own, and Swift takes their types for one
// another's. ICU also renames its functions by version through macros, which Swift does not see.

/// The Unicode script of a code point (a UScriptCode), or a negative number on failure.
int32_t kuoci_icu_script(int32_t codePoint);

/// The Unicode version that assigned a code point, as major << 8 | minor; 0 if none did.
int32_t kuoci_icu_age(int32_t codePoint);

/// The Unicode block of a code point (a UBlockCode); that of "No_Block" if it is in none.
int32_t kuoci_icu_block(int32_t codePoint);

/// The block's name in Blocks.txt with underscores for spaces; NULL if ICU knows no such block.
const char *kuoci_icu_block_name(int32_t block);

/// Decodes characters of two bytes, each alone, from an encoding that ICU has a converter for. Writes a code point for
/// each, -1 where the two bytes are not one character; 0, or -1 if ICU has no such converter.
int32_t kuoci_icu_decode_pairs(const char *encoding, const uint8_t *pairs, int32_t count, int32_t *codePoints);

/// The simple case folding of a code point (statuses C and S of CaseFolding.txt); itself if it has none.
int32_t kuoci_icu_fold(int32_t codePoint);

/// Writes the NFKD decomposition of a code point as UTF-16; its length, -1 if it has none, -2 on failure.
int32_t kuoci_icu_decompose(int32_t codePoint, uint16_t *units, int32_t capacity);

/// Writes the NFKC form of UTF-16 text; its length, -2 on failure (as when `capacity` is too small).
int32_t kuoci_icu_nfkc(const uint16_t *text, int32_t length, uint16_t *units, int32_t capacity);

extern const int32_t kuoci_block_none;
extern const int32_t kuoci_script_common;
extern const int32_t kuoci_script_inherited;
extern const int32_t kuoci_script_unknown;
extern const int32_t kuoci_script_han;
extern const int32_t kuoci_script_hiragana;
extern const int32_t kuoci_script_katakana;
extern const int32_t kuoci_script_devanagari;
extern const int32_t kuoci_script_bopomofo;
extern const int32_t kuoci_script_hangul;
extern const int32_t kuoci_script_latin;
