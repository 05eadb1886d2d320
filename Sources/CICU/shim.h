#pragma once
#include <unicode/uchar.h>
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

static const int32_t kuoci_script_common = USCRIPT_COMMON;
static const int32_t kuoci_script_inherited = USCRIPT_INHERITED;
static const int32_t kuoci_script_unknown = USCRIPT_UNKNOWN;
static const int32_t kuoci_script_han = USCRIPT_HAN;
static const int32_t kuoci_script_hiragana = USCRIPT_HIRAGANA;
static const int32_t kuoci_script_katakana = USCRIPT_KATAKANA;
static const int32_t kuoci_script_devanagari = USCRIPT_DEVANAGARI;
