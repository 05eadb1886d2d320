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
