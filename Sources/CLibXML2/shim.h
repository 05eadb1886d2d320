#pragma once
#include <libxml/xmlversion.h>
// libxml2 built with ICU includes ICU's headers, whose types Swift's own Foundation declares too, differently.
// What we use of libxml2 shows nothing of ICU.
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
