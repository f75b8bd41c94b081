#include "linker/encode/letters.h"

#include <algorithm>
#include <iterator>

namespace sluis::linker {
namespace {

// Letters that compatibility decomposition leaves as they are.
struct Spelling {
  std::int32_t letter;
  std::string_view ascii;
};
constexpr Spelling kSpellings[] = {{0x00C6, "AE"}, {0x00D0, "D"},  {0x00D8, "O"},  {0x00DE, "TH"}, {0x00DF, "SS"},
                                   {0x00E6, "AE"}, {0x00F0, "D"},  {0x00F8, "O"},  {0x00FE, "TH"}, {0x0110, "D"},
                                   {0x0111, "D"},  {0x0126, "H"},  {0x0127, "H"},  {0x0131, "I"},  {0x0141, "L"},
                                   {0x0142, "L"},  {0x014A, "NG"}, {0x014B, "NG"}, {0x0152, "OE"}, {0x0153, "OE"},
                                   {0x018F, "E"},  {0x0259, "E"},  {0x1E9E, "SS"}};

}  // namespace

std::string_view AsciiSpelling(std::int32_t code_point) {
  const auto* spelling =
      std::ranges::lower_bound(kSpellings, code_point, {}, [](const Spelling& s) { return s.letter; });
  return spelling != std::end(kSpellings) && spelling->letter == code_point ? spelling->ascii : std::string_view();
}

bool IsApostrophe(std::int32_t code_point) {
  constexpr std::int32_t kApostrophes[] = {0x00B4, 0x02B9, 0x02BB, 0x02BC, 0x02BD, 0x02BE,
                                           0x02BF, 0x2018, 0x2019, 0x201B, 0x2032};
  return std::ranges::binary_search(kApostrophes, code_point);
}

}  // namespace sluis::linker
