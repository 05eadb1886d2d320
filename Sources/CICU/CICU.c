#include "CICU.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
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

int32_t kuoci_icu_block(int32_t codePoint) {
    return (int32_t)ublock_getCode(codePoint);
}

const char *kuoci_icu_block_name(int32_t block) {
    return u_getPropertyValueName(UCHAR_BLOCK, block, U_LONG_PROPERTY_NAME);
}

int32_t kuoci_icu_decode_pairs(const char *encoding, const uint8_t *pairs, int32_t count, int32_t *codePoints) {
    UErrorCode status = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(encoding, &status);
    if (U_FAILURE(status)) return -1;
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &status);
    for (int32_t index = 0; index < count && U_SUCCESS(status); index++) {
        UErrorCode found = U_ZERO_ERROR;
        const char *start = (const char *)pairs + 2 * index;
        const char *end = start + 2;
        ucnv_resetToUnicode(converter);
        UChar32 codePoint = ucnv_getNextUChar(converter, &start, end, &found);
        // Bytes left over: the first of them is a character of its own.
        codePoints[index] = U_FAILURE(found) || start != end ? -1 : codePoint;
    }
    ucnv_close(converter);
    return U_FAILURE(status) ? -1 : 0;
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

const int32_t kuoci_block_none = UBLOCK_NO_BLOCK;
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
