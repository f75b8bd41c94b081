#include "linker/encode/fold.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "linker/encode/letters.h"

namespace sluis::linker {
namespace {

void AppendSpace(std::string& out) {
  if (!out.empty() && out.back() != ' ') out.push_back(' ');
}

void AppendAscii(std::string& out, char c) {
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
    out.push_back(c);
  } else if (c >= 'A' && c <= 'Z') {
    out.push_back(static_cast<char>(c - 'A' + 'a'));
  } else if (c != '\'' && c != '`') {
    AppendSpace(out);
  }
}

void AppendUnicode(std::string& out, UChar32 c) {
  if (c < 0x80) {
    AppendAscii(out, static_cast<char>(c));
    return;
  }
  if (const std::string_view spelling = AsciiSpelling(c); !spelling.empty()) {
    for (const char letter : spelling) AppendAscii(out, letter);
    return;
  }
  const std::int8_t type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || IsApostrophe(c)) return;
  if (const std::int32_t digit = u_charDigitValue(c); digit >= 0) {
    out.push_back(static_cast<char>('0' + digit));
  } else if (u_isalpha(c) || type == U_COMBINING_SPACING_MARK) {
    icu::UnicodeString(c).foldCase().toUTF8String(out);
  } else if (type != U_FORMAT_CHAR) {
    AppendSpace(out);
  }
}

}  // namespace

absl::Status FoldText(std::string_view value, std::string& out) {
  out.clear();
  if (std::ranges::all_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    for (const char c : value) AppendAscii(out, c);
  } else {
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(error);
    if (U_FAILURE(error)) return absl::InternalError("Unicode normalisation failed: is ICU's data installed?");
    const auto length = static_cast<std::int32_t>(value.size());
    icu::UnicodeString source;
    for (std::int32_t i = 0; i < length;) {
      UChar32 c = 0;
      U8_NEXT(value.data(), i, length, c);
      if (c < 0) {
        return absl::InvalidArgumentError(
            "value is not valid UTF-8: declare the encoding of the extract in its schema");
      }
      // The free-standing acute accent, often typed as apostrophe, would decompose to a space.
      source.append(c == 0x00B4 ? UChar32{'\''} : c);
    }
    const icu::UnicodeString decomposed = nfkd->normalize(source, error);
    if (U_FAILURE(error)) return absl::InternalError("Unicode normalisation failed: is ICU's data installed?");
    for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
      AppendUnicode(out, decomposed.char32At(i));
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return absl::OkStatus();
}

}  // namespace sluis::linker
