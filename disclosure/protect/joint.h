#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "disclosure/ledger/join.h"
#include "disclosure/ledger/ledger_entry.h"
#include "disclosure/release/released_table.h"
#include "disclosure/table/build_system.h"

// A request between what was released before it and what will be released after it.

namespace sluis::disclosure {

// The reason (common::ReasonOf) of a refusal to release because of an earlier release, where protection fails only
// together with it.
inline constexpr char kReleaseInTheWay[] = "RELEASE_IN_THE_WAY";
inline constexpr char kReplacesOther[] = "REPLACES_OTHER_TABLES";

// What the ledger says about a request.
struct LedgerInput {
  LedgerDescription request;
  EarlierReleases earlier;
};

// Returns the tables of `ledger` with the numbers of `request`, as they are before anything is suppressed. Variables
// with another method than suppression have no numbers.
[[nodiscard]] std::vector<LedgerTable> WithNumbers(const LedgerDescription& description, const RequestSystem& request);

// Makes request.system the system of the request and of all that was released before (Join); only the first `tables` of
// ledger.earlier.tables are looked at. The cells of the request keep their numbers. Returns the
// earlier releases that it must be protected against.
//
// What a replaced release published is known where the value is the same now. What it suppressed stays suppressed. Its
// tables must be among those of the request.
//
// Errors: as Join; FAILED_PRECONDITION (REPLACES_OTHER_TABLES) naming the replaced release.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> JoinEarlier(const LedgerInput& ledger, std::size_t tables,
                                                                   const RuleSet& rules, RequestSystem& request);

// Sets upper bounds anew after cells were appended to request.system, joint or not: in a joint one, cells that take no
// part in a measure, and that everybody knows to be 0 there, keep the bound 0.
void RaiseUpperBounds(RequestSystem& request);

// Returns what the ledger keeps of a release: `description` with the numbers of `request` and with what of them
// `tables` publish, in the order of both.
[[nodiscard]] std::vector<LedgerTable> ReleasedLedgerTables(const LedgerDescription& description,
                                                            const RequestSystem& request,
                                                            std::span<const ReleasedTable> tables,
                                                            const std::string& release);

}  // namespace sluis::disclosure
