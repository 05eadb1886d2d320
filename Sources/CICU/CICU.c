#include "CICU.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uversion.h>

int32_t kuoci_icu_script(int32_t codePoint) {
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(codePoint, &status);
    return U_FAILURE(status) ? -1 : (int32_t)script;
}

int32_t kuoci_icu_age(int32_t codePoint) {
    UVersionInfo version;
    u_charAge(codePoint, version);
    return (int32_t)version[0] << 8 | version[1];
}

int32_t kuoci_icu_fold(int32_t codePoint) {
    return u_foldCase(codePoint, U_FOLD_CASE_DEFAULT);
}

int32_t kuoci_icu_decompose(int32_t codePoint, uint16_t *units, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normalizer = unorm2_getNFKDInstance(&status);
    if (U_FAILURE(status)) return -2;
    int32_t length = unorm2_getDecomposition(normalizer, codePoint, (UChar *)units, capacity, &status);
    return length < 0 ? -1 : U_FAILURE(status) ? -2 : length;
}

int32_t kuoci_icu_nfkc(const uint16_t *text, int32_t length, uint16_t *units, int32_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *normalizer = unorm2_getNFKCInstance(&status);
    if (U_FAILURE(status)) return -2;
    int32_t written = unorm2_normalize(normalizer, (const UChar *)text, length, (UChar *)units, capacity, &status);
    return U_FAILURE(status) ? -2 : written;
}

const int32_t kuoci_script_common = USCRIPT_COMMON;
const int32_t kuoci_script_inherited = USCRIPT_INHERITED;
const int32_t kuoci_script_unknown = USCRIPT_UNKNOWN;
const int32_t kuoci_script_han = USCRIPT_HAN;
const int32_t kuoci_script_hiragana = USCRIPT_HIRAGANA;
const int32_t kuoci_script_katakana = USCRIPT_KATAKANA;
const int32_t kuoci_script_devanagari = USCRIPT_DEVANAGARI;
const int32_t kuoci_script_bopomofo = USCRIPT_BOPOMOFO;
const int32_t kuoci_script_hangul = USCRIPT_HANGUL;
const int32_t kuoci_script_latin = USCRIPT_LATIN;
