#include "linker/match/report.h"

namespace sluis::linker {

std::optional<LinkageReport> RoundedReport(const LinkageReport& report, std::uint64_t rounding,
                                           std::uint64_t minimum_records) {
  if (report.records < minimum_records) {
    return std::nullopt;
  }
  // The remainder decides, so that counts near 2^64 do not overflow before they are rounded.
  const auto round = [rounding](std::uint64_t& count) {
    const std::uint64_t remainder = count % rounding;
    count -= remainder;
    if (remainder >= rounding - remainder) {
      count += rounding;
    }
  };
  LinkageReport rounded = report;
  for (std::uint64_t* count : {&rounded.records, &rounded.entities, &rounded.unlinked, &rounded.unlinked_records}) {
    round(*count);
  }
  for (PassReport& pass : rounded.passes) {
    for (std::uint64_t* count :
         {&pass.links, &pass.linked_records, &pass.conflicts, &pass.ambiguous, &pass.unavailable}) {
      round(*count);
    }
  }
  return rounded;
}

}  // namespace sluis::linker
