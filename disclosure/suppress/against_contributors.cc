#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/batch.h"
#include "disclosure/suppress/engine.h"

// What is owed to primary cells against those who contribute to the table. Few coalitions matter to any one level:
// those with a member in a cell that the deviations found so far move. One further deviation that moves nothing of them
// serves most of the others too, so that they are found and served one by one.

namespace sluis::disclosure {
namespace {

size_t Index(int64_t i) { return static_cast<size_t>(i); }

constexpr int64_t kLargestBatch = 16;
constexpr int64_t kGroupsPerPlace = 32;
constexpr int64_t kSecondLook = 1'000;
// Deviations of other levels that are tried before a program is solved.
constexpr size_t kTriedWitnesses = 48;

}  // namespace

std::pair<int64_t, int64_t> SuppressionEngine::GroupOf(int64_t target) const {
  if (system_.contributors.protection != ContributorProtection::kExact) return {target, target + 1};
  const std::vector<Target>& targets = state_.targets();
  const auto same = [&](int64_t other) {
    return other >= 0 && other < static_cast<int64_t>(targets.size()) &&
           targets[Index(other)].cell == targets[Index(target)].cell &&
           targets[Index(other)].measure == targets[Index(target)].measure;
  };
  int64_t begin = target;
  int64_t end = target + 1;
  while (same(begin - 1)) --begin;
  while (same(end)) ++end;
  return {begin, end};
}

std::vector<Offer> SuppressionEngine::OffersOf(int64_t group, const Removal* removal) const {
  const auto moves = [&](const Deviation& deviation) {
    return removal != nullptr && std::binary_search(deviation.cell.begin(), deviation.cell.end(), removal->cell);
  };
  const auto [begin, end] = GroupOf(group);
  std::vector<Offer> offers;
  for (int64_t t = begin; t < end; ++t) {
    const Target& target = state_.targets()[Index(t)];
    Offer& offer = offers.emplace_back();
    offer.direction = target.direction;
    offer.level = target.level;
    for (const int64_t witness : state_.WitnessesOf(t)) {
      const Deviation& deviation = state_.witnesses()[Index(witness)];
      if (!moves(deviation)) offer.deviations.push_back(&deviation);
    }
    if (removal == nullptr) continue;
    for (const std::vector<Replacement>* const list : {&removal->replacements, &removal->further}) {
      for (const Replacement& replacement : *list) {
        const std::vector<int64_t>& of = replacement.targets;
        if (std::find(of.begin(), of.end(), t) != of.end()) offer.deviations.push_back(&replacement.deviation);
      }
    }
  }
  return offers;
}

SuppressionEngine::Further SuppressionEngine::FindFurther(int worker, int64_t group, const Coalitions::Members& members,
                                                          CellPrice price, CellPrice entry,
                                                          const SearchEffort& effort) {
  Further further;
  const auto [begin, end] = GroupOf(group);
  const auto allowed = [&](int32_t cell) { return coalitions_.Know(members, cell) ? kForbidden : price(cell); };
  const auto usable = [&](const Deviation& deviation) {
    return std::none_of(deviation.cell.begin(), deviation.cell.end(), [&](int32_t cell) { return price(cell) < 0; });
  };
  LeastValues least;
  for (int64_t t = end; t-- > begin;) {  // upwards first
    Target target = state_.targets()[Index(t)];
    target.level = coalitions_.Due(members, target.measure, target.cell, target.direction, target.level);
    if (target.level == 0) continue;
    const auto proves = [&](const Deviation& deviation) {
      return coalitions_.Proves(deviation, members, target.cell, target.direction, target.level);
    };
    // What other levels rest on costs nothing.
    std::vector<int64_t> known = state_.WitnessesThatMove(target.cell, kTriedWitnesses);
    for (const int64_t witness : known) {
      const Deviation& shape = state_.witnesses()[Index(witness)];
      std::optional<Deviation> multiple = MultipleFor(system_, shape, target);
      if (!multiple || !proves(*multiple) || !usable(*multiple)) continue;
      double sum = 0;
      for (const int32_t cell : multiple->cell) sum += entry(cell);
      if (sum > 0) continue;
      further.found.outcome = SearchOutcome::kFound;
      further.found.deviation = *std::move(multiple);
      further.target = t;
      return further;
    }
    least = coalitions_.LeastOf(members, target.measure);
    target.least = least.empty() ? nullptr : &least;
    SearchResult found = Searcher(worker).Find(target, allowed, entry, effort);
    further.found.lps += found.lps;
    further.found.iterations += found.iterations;
    if (found.outcome == SearchOutcome::kFound && !proves(found.deviation)) found.outcome = SearchOutcome::kInexact;
    if (found.outcome != SearchOutcome::kNone || further.target == kNoTarget) further.found.outcome = found.outcome;
    further.target = t;
    if (found.outcome != SearchOutcome::kFound) continue;
    further.found.deviation = std::move(found.deviation);
    further.found.price = found.price;
    return further;
  }
  return further;
}

absl::Status SuppressionEngine::ProtectAgainstContributors() {
  if (!coalitions_.protects()) return absl::OkStatus();
  std::vector<int64_t> open;
  for (int64_t t = 0; t < static_cast<int64_t>(state_.targets().size()); t = GroupOf(t).second) open.push_back(t);
  std::stable_sort(open.begin(), open.end(), [this](int64_t a, int64_t b) {
    return state_.targets()[Index(a)].level > state_.targets()[Index(b)].level;
  });
  const auto total = static_cast<int64_t>(open.size());
  const auto price = [&](int32_t cell) { return Price(cell); };
  const auto entry = [&](int32_t cell) { return EntryPrice(cell); };
  std::vector<uint8_t> hopeless(Index(system_.num_cells), 0);
  int64_t inexact = 0;
  std::reverse(open.begin(), open.end());  // the next one is at the end
  std::vector<int64_t> batch;
  struct Answer {
    std::optional<Coalitions::Members> unserved;
    Further further;
  };
  std::vector<Answer> answers;
  for (int64_t absorbed = 0; !open.empty();) {
    SLUIS_RETURN_IF_ERROR(Checkpoint(SuppressPhase::kConstruct, total - static_cast<int64_t>(open.size()), total));
    const int64_t size = std::min(kLargestBatch, 1 + absorbed / kGroupsPerPlace);
    batch.clear();
    // A group that needs nothing takes no place.
    while (!open.empty() && static_cast<int64_t>(batch.size()) < size) {
      batch.push_back(open.back());
      open.pop_back();
    }
    answers.assign(batch.size(), {});
    RunBatch(options_.threads, static_cast<int64_t>(batch.size()), [&](int worker, int64_t k) {
      Answer& answer = answers[Index(k)];
      const int64_t group = batch[Index(k)];
      answer.unserved = coalitions_.FindUnserved(state_.targets()[Index(group)].measure,
                                                 state_.targets()[Index(group)].cell, OffersOf(group, nullptr));
      if (!answer.unserved) return;
      SearchEffort effort{.second_look = kSecondLook};
      if (worker == 0 ? Stopped() : stopped_.load()) effort.second_look = 0;
      answer.further = FindFurther(worker, group, *answer.unserved, price, entry, effort);
    });
    for (size_t k = batch.size(); k-- > 0;) {
      Answer& answer = answers[k];
      SearchResult& found = answer.further.found;
      result_.construct_lps += found.lps;
      result_.construct_iterations += found.iterations;
      if (!answer.unserved) continue;
      ++absorbed;
      if (found.outcome == SearchOutcome::kFound) {
        state_.AddFurther(std::move(found.deviation), answer.further.target);
        open.push_back(batch[k]);  // there may be others
      } else if (found.outcome == SearchOutcome::kFailed) {
        return absl::InternalError("suppression: the linear program failed");
      } else if (found.outcome == SearchOutcome::kNone) {
        hopeless[Index(state_.targets()[Index(batch[k])].cell)] = 1;
      } else {
        ++inexact;
      }
    }
  }
  if (const auto count = std::count(hopeless.begin(), hopeless.end(), 1); count > 0) {
    const bool exact = system_.contributors.protection == ContributorProtection::kExact;
    return absl::FailedPreconditionError(absl::StrCat(
        "suppression: ", count, " primary cells cannot be protected against contributors who know their own cells, ",
        "even with everything else suppressed; ask for a coarser table, for fewer cells that must be published",
        exact ? "" : ", or only that no contributor can compute a cell exactly"));
  }
  if (inexact > 0) {
    return absl::InternalError(absl::StrCat("suppression: ", inexact, " deviations could not be made exact"));
  }
  return Checkpoint(SuppressPhase::kConstruct, total, total);
}

bool SuppressionEngine::ServeContributors(int worker, const std::vector<int64_t>& users, CellPrice price,
                                          CellPrice entry, const SearchEffort& effort, int64_t max_lps,
                                          int64_t max_iterations, Removal& removal) {
  if (!coalitions_.protects()) return true;
  for (const int64_t t : users) {
    const Target& target = state_.targets()[Index(t)];
    for (;;) {
      const auto unserved = coalitions_.FindUnserved(target.measure, target.cell, OffersOf(t, &removal));
      if (!unserved) break;
      if ((worker == 0 ? Stopped() : stopped_.load()) || removal.lps >= max_lps ||
          removal.iterations >= max_iterations) {
        removal.out_of_effort = true;
        return false;
      }
      Further further = FindFurther(worker, t, *unserved, price, entry, effort);
      removal.lps += further.found.lps;
      removal.iterations += further.found.iterations;
      if (further.found.outcome != SearchOutcome::kFound) return false;
      removal.further.push_back({.deviation = std::move(further.found.deviation), .targets = {further.target}});
    }
  }
  return true;
}

bool SuppressionEngine::ContributorsAreServed(const Removal& removal, const std::vector<int64_t>& users) const {
  if (!coalitions_.protects()) return true;
  return std::none_of(users.begin(), users.end(), [&](int64_t t) {
    const Target& target = state_.targets()[Index(t)];
    return coalitions_.FindUnserved(target.measure, target.cell, OffersOf(t, &removal)).has_value();
  });
}

}  // namespace sluis::disclosure
