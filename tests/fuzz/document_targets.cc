#include <array>
#include <string>

#include "disclosure/server/request_document.h"
#include "disclosure/server/rule_set_document.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace sluis::fuzz {
namespace {

// Rules that were accepted apply to cells without a fault.
bool RuleSetDocument(std::string_view bytes) {
  const auto named = disclosure::ParseRuleSet(bytes);
  if (!named.ok()) return Refused(named.status());
  Require(!named->id.empty() && !named->title.empty() && named->version > 0, "an accepted rule set says what it is");
  disclosure::CellContributions cells;
  cells.contributors = {0, 1, 2, 5, 80};
  cells.total = {0, 7, 100, 1000, std::int64_t{1} << 50};
  cells.top_per_cell = 64;
  cells.top.assign(5 * 64, 0);
  cells.largest_asking = {0, 7, 0, 0, 0};
  const std::array<std::pair<std::size_t, std::int64_t>, 6> top = {
      {{64, 7}, {128, 60}, {129, 40}, {192, 999}, {193, 1}, {256, std::int64_t{1} << 49}}};
  for (const auto& [at, amount] : top) cells.top[at] = amount;
  cells.contributors[3] = 2;
  if (!disclosure::HasPrimaryRule(named->rules)) return true;
  for (const auto kind : {disclosure::MeasureKind::kCount, disclosure::MeasureKind::kAmount}) {
    const auto status = disclosure::EvaluateRules(cells, kind, named->rules);
    if (!status.ok()) Refused(status.status());
  }
  return true;
}

bool RequestDocument(std::string_view bytes) {
  const auto request = disclosure::ParseTableRequest(bytes);
  return request.ok() || Refused(request.status());
}

constexpr std::array<Target, 2> kTargets = {{{"rule_set", RuleSetDocument}, {"request", RequestDocument}}};

}  // namespace

std::span<const Target> DocumentTargets() { return kTargets; }

}  // namespace sluis::fuzz
