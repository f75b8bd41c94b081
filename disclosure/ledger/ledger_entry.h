#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "disclosure/ledger/describe.h"
#include "disclosure/ledger/ledger_table.h"

// What the ledger keeps of a release, and which of it a request meets.

namespace sluis::disclosure {

// The reasons (common::ReasonOf) of refusals that need no numbers.
inline constexpr char kReleasedBefore[] = "RELEASED_BEFORE";
inline constexpr char kPeriodUnknown[] = "PERIOD_UNKNOWN";
inline constexpr char kNotComparable[] = "NOT_COMPARABLE";

struct LedgerEntry {
  std::string project, release;
  LedgerRegister backbone;
  std::vector<LedgerRegister> registers;  // as in LedgerDescription
  std::vector<LedgerTable> tables;
  std::vector<std::string> replaces;  // releases of the same project that this one corrects
};

// Returns what stays of an entry when the project's keys are destroyed: what is public.
[[nodiscard]] LedgerEntry Forget(LedgerEntry entry);

// Returns the bytes of an entry; one encoding each. Format in README.md.
[[nodiscard]] std::string EncodeLedgerEntry(const LedgerEntry& entry);
// Errors: DATA_LOSS if `bytes` are no such encoding, with numbers for every cell.
[[nodiscard]] absl::StatusOr<LedgerEntry> DecodeLedgerEntry(std::string_view bytes);

// What a request must be protected against.
struct EarlierReleases {
  std::vector<LedgerTable> tables;     // of the same populations, without those of releases that others replaced
  std::vector<LedgerTable> replaced;   // of the releases that the request itself replaces
  std::vector<std::string> consulted;  // PROJECT/RELEASE of both, in the order of the ledger
};

// Returns what of `entries` (in the order of their release) a request of `project` meets. Looks at definitions only, so
// that its errors say nothing about the data. `replaces`: releases of `project` that the request corrects.
//
// Errors; the message names the earlier release:
//   FAILED_PRECONDITION  RELEASED_BEFORE: it has a register of the request under another backbone, or a variable by a
//                        method that gives the same records other values a second time: nobody could tell what both
//                        together give away
//                        PERIOD_UNKNOWN: it has a register of the request, and only one of the two permits says of
//                        which period
//                        NOT_COMPARABLE: a variable of the request is made of a column of which it published another
//                        variable; one may be part of the other in ways that are not seen here
//                        REPLACES_NOTHING: `replaces` names no release, or one that was replaced
[[nodiscard]] absl::StatusOr<EarlierReleases> SelectEarlier(const LedgerDescription& request,
                                                            const std::string& project,
                                                            const std::vector<std::string>& replaces,
                                                            std::vector<LedgerEntry> entries);

}  // namespace sluis::disclosure
