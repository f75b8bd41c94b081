#pragma once

#include <cstdint>
#include <span>
#include <vector>

// Who is behind the cells, as far as that makes an attacker stronger than an outsider: somebody who contributes to a
// cell knows the own contribution, and somebody who alone makes up a cell knows the cell.

namespace sluis::disclosure {

struct CellSystem;

// What a system's primary cells are owed against contributors.
enum class ContributorProtection : uint8_t {
  kNone = 0,   // nothing: only outsiders are thought of
  kExact = 1,  // no coalition of contributors can compute the value of a primary cell exactly
  kLevel = 2,  // to each coalition every protection level is kept, as if it were an outsider
};

// One contributor (a holding: an enterprise group, a person).
struct Contributor {
  std::vector<int32_t> cell;  // cells that it contributes to, ascending; those that matter, see Contributors
  // For each cell and measure the own contribution, 0 .. the cell's value: amount[k * measures + m] for cell[k].
  std::vector<int64_t> amount;

  friend bool operator==(const Contributor&, const Contributor&) = default;
};

// The contributors of a system's cells. A *coalition* is a set of up to `coalition` contributors who tell each other
// all they know: of a cell that it holds at least what they contribute, or, if they are all that it has, its value.
//
// Who can be left out without a coalition becoming weaker: contributors of 0 to a cell with more than `coalition`
// contributors. Who is left out although contributing is taken to know nothing of that cell.
struct Contributors {
  ContributorProtection protection = ContributorProtection::kNone;
  int32_t coalition = 1;                 // 1 .. kMaxCoalition
  std::vector<int64_t> in_cell;          // per cell, how many contributors it has; 0: none, or not known
  std::vector<Contributor> contributor;  // in any order

  [[nodiscard]] bool protects() const { return protection != ContributorProtection::kNone; }
  friend bool operator==(const Contributors&, const Contributors&) = default;
};

inline constexpr int32_t kMaxCoalition = 3;

// Names contributors that follow from the relations. A total whose parts all have their contributors named has those,
// if their number is right or was not known; a total and a part with equally many contributors have the same ones.
// Cells with more than `coalition` contributors are left alone. Call after the last relation was added: cells that
// rules add (sums of suppressed cells) get theirs that way. Cost: a few rounds of O(entries of the relations).
void CompleteContributors(CellSystem& system);

// Names contributors for each cell that has 1 .. `coalition` of them, none named: as many as it has, the same ones
// where a total and a part have equally many, and others for every other cell. For tables that tell how many
// contributors cells have, but not who they are: that one contributor is alone in two cells that are not below each
// other is then not known. Calls CompleteContributors.
void NameUnknownContributors(CellSystem& system);

// For each cell the contributors that are named for it.
class ContributorIndex {
 public:
  // `system` must outlive this object, and not change.
  explicit ContributorIndex(const CellSystem& system);

  // Indices into Contributors::contributor, ascending.
  [[nodiscard]] std::span<const int32_t> Of(int32_t cell) const;
  // True if `members` (ascending) are all contributors of `cell`, so that together they know its value.
  [[nodiscard]] bool Know(std::span<const int32_t> members, int32_t cell) const;
  // What `members` together contribute to `cell` in `measure`: it cannot be less, to them.
  [[nodiscard]] int64_t Least(std::span<const int32_t> members, int32_t measure, int32_t cell) const;

 private:
  [[nodiscard]] int64_t AmountOf(int32_t member, int32_t measure, int32_t cell) const;

  const CellSystem& system_;
  std::vector<int64_t> begin_;
  std::vector<int32_t> holder_;
};

}  // namespace sluis::disclosure
