#pragma once
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uversion.h>

// ICU renames its functions by version through macros (u_charType -> u_charType_72), which Swift does not see:
// each function that we use has a wrapper here.

/// The Unicode script of a code point (a UScriptCode), or a negative number on failure.
static inline int32_t kuoci_icu_script(int32_t codePoint) {
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(codePoint, &status);
    return U_FAILURE(status) ? -1 : (int32_t)script;
}

/// The Unicode version that assigned a code point, as major << 8 | minor; 0 if none did.
static inline int32_t kuoci_icu_age(int32_t codePoint) {
    UVersionInfo version;
    u_charAge(codePoint, version);
    return (int32_t)version[0] << 8 | version[1];
}

/// The simple case folding of a code point (statuses C and S of CaseFolding.txt); itself if it has none.
static inline int32_t kuoci_icu_fold(int32_t codePoint) {
    return u_foldCase(codePoint, U_FOLD_CASE_DEFAULT);
}

/// Writes the NFKD decomposition of a code point as UTF-16; its length, -1 if it has none, -2 on failure.
static inline int32_t kuoci_icu_decompose(int32_t codePoint, uint16_t *units, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normalizer = unorm2_getNFKDInstance(&status);
    if (U_FAILURE(status)) return -2;
    int32_t length = unorm2_getDecomposition(normalizer, codePoint, (UChar *)units, capacity, &status);
    return length < 0 ? -1 : U_FAILURE(status) ? -2 : length;
}

/// Writes the NFKC form of UTF-16 text; its length, -2 on failure (as when `capacity` is too small).
static inline int32_t kuoci_icu_nfkc(const uint16_t *text, int32_t length, uint16_t *units, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normalizer = unorm2_getNFKCInstance(&status);
    if (U_FAILURE(status)) return -2;
    int32_t written = unorm2_normalize(normalizer, (const UChar *)text, length, (UChar *)units, capacity, &status);
    return U_FAILURE(status) ? -2 : written;
}

/// The same, for NFKD.
static inline int32_t kuoci_icu_nfkd(const uint16_t *text, int32_t length, uint16_t *units, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normalizer = unorm2_getNFKDInstance(&status);
    if (U_FAILURE(status)) return -2;
    int32_t written = unorm2_normalize(normalizer, (const UChar *)text, length, (UChar *)units, capacity, &status);
    return U_FAILURE(status) ? -2 : written;
}

static const int32_t kuoci_script_common = USCRIPT_COMMON;
static const int32_t kuoci_script_inherited = USCRIPT_INHERITED;
static const int32_t kuoci_script_unknown = USCRIPT_UNKNOWN;
static const int32_t kuoci_script_han = USCRIPT_HAN;
static const int32_t kuoci_script_hiragana = USCRIPT_HIRAGANA;
static const int32_t kuoci_script_katakana = USCRIPT_KATAKANA;
static const int32_t kuoci_script_devanagari = USCRIPT_DEVANAGARI;
