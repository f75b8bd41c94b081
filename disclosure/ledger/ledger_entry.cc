#include "disclosure/ledger/ledger_entry.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/system/binary.h"

namespace sluis::disclosure {
namespace {

constexpr std::string_view kMagic = "sluis-ledger-v1\n";

template <typename Codec, typename List>
void Items(Codec& codec, List& list) {
  codec.List(list, [&](auto& item) { codec.Field(item); });
}

template <typename Codec, typename Register>
void DescribeRegister(Codec& codec, Register& reg) {
  codec.Field(reg.custodian);
  codec.Field(reg.name);
  codec.Field(reg.period);
}

template <typename Codec, typename Set>
void DescribeSet(Codec& codec, Set& set) {
  codec.Field(set.everything);
  Items(codec, set.codes);
  codec.List(set.ranges, [&](auto& range) {
    codec.Field(range.from);
    codec.Field(range.to);
  });
  Items(codec, set.prefixes);
  codec.Field(set.others);
  Items(codec, set.but);
}

template <typename Codec, typename Measure>
void DescribeMeasure(Codec& codec, Measure& measure) {
  codec.Field(measure.key);
  codec.Field(measure.kind);
  codec.Field(measure.method);
  codec.Field(measure.once);
  codec.Field(measure.column);
  codec.Field(measure.apart);
  Items(codec, measure.published);
  Items(codec, measure.value);
  Items(codec, measure.contributors);
  codec.Field(measure.top_per_cell);
  Items(codec, measure.top);
  Items(codec, measure.lower_level);
  Items(codec, measure.upper_level);
}

template <typename Codec, typename Entry>
void DescribeEntry(Codec& codec, Entry& entry) {
  codec.Field(entry.project);
  codec.Field(entry.release);
  DescribeRegister(codec, entry.backbone);
  codec.List(entry.registers, [&](auto& reg) { DescribeRegister(codec, reg); });
  Items(codec, entry.replaces);
  codec.List(entry.tables, [&](auto& table) {
    codec.Field(table.release);
    codec.Field(table.population);
    codec.Field(table.values_kept);
    codec.List(table.axes, [&](auto& axis) {
      codec.Field(axis.variable);
      Items(codec, axis.columns);
      codec.Field(axis.refinement);
      codec.Field(axis.apart);
      codec.List(axis.codes, [&](auto& set) { DescribeSet(codec, set); });
    });
    codec.List(table.measures, [&](auto& measure) { DescribeMeasure(codec, measure); });
  });
}

// Whether every list has the length that the header implies.
bool HasItsForm(const LedgerTable& table) {
  std::uint64_t cells = 1;
  for (const LedgerAxis& axis : table.axes) {
    cells *= axis.codes.size();
    if (cells == 0 || cells > std::uint64_t{1} << 31) return false;
  }
  return std::all_of(table.measures.begin(), table.measures.end(), [&](const LedgerMeasure& measure) {
    const auto one_each = [cells](const auto& list) { return list.empty() || list.size() == cells; };
    return measure.published.size() == cells && measure.value.size() == cells && one_each(measure.contributors) &&
           measure.top_per_cell >= 0 && measure.top_per_cell <= 1'000 &&
           measure.top.size() == cells * static_cast<std::uint64_t>(measure.top_per_cell) &&
           one_each(measure.lower_level) && measure.lower_level.size() == measure.upper_level.size();
  });
}

absl::Status InTheWay(const LedgerEntry& entry, const std::string& why, const char* reason) {
  return common::WithReason(absl::FailedPreconditionError(absl::StrCat("release ", entry.release, " ", why)), reason);
}

bool ShareColumn(const LedgerAxis& a, const LedgerAxis& b) {
  return std::any_of(a.columns.begin(), a.columns.end(), [&](const std::string& column) {
    return std::find(b.columns.begin(), b.columns.end(), column) != b.columns.end();
  });
}

// Whether all that the two say of each other is seen: they classify by one variable, share no column, or differ in
// nothing but a date.
bool AreComparable(const LedgerAxis& a, const LedgerAxis& b) {
  if (a.variable == b.variable) {
    // Values refined otherwise add up in ways that are not seen: a refinement may leave nobody out, or may not.
    return a.refinement == b.refinement;
  }
  return !ShareColumn(a, b) || (!a.apart.empty() && a.apart == b.apart);
}

bool AreComparable(const LedgerMeasure& a, const LedgerMeasure& b) {
  if (a.key == b.key || a.column.empty() || a.column != b.column) return true;
  return !a.apart.empty() && a.apart == b.apart;
}

absl::Status CheckTables(const LedgerTable& own, const LedgerTable& earlier, const LedgerEntry& entry) {
  for (const LedgerAxis& a : own.axes) {
    for (const LedgerAxis& b : earlier.axes) {
      if (AreComparable(a, b)) continue;
      return InTheWay(entry, "has another variable made of a column of this request's: use the same one",
                      kNotComparable);
    }
  }
  for (const LedgerMeasure& a : own.measures) {
    for (const LedgerMeasure& b : earlier.measures) {
      if (!AreComparable(a, b)) {
        return InTheWay(entry, "has another sum of a field of this request: use the same one", kNotComparable);
      }
      if (a.key == b.key && a.method == b.method && (a.once || b.once)) {
        return InTheWay(entry, "has the same variable, by a method that would give the same records other values now",
                        kReleasedBefore);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRegisters(const LedgerDescription& request, const LedgerEntry& entry) {
  for (const LedgerRegister& own : request.registers) {
    for (const LedgerRegister& theirs : entry.registers) {
      if (own.custodian != theirs.custodian || own.name != theirs.name) continue;
      if (own.period.empty() != theirs.period.empty()) {
        return InTheWay(
            entry, absl::StrCat("has register ", own.name, ", and only one of the two permits says of which period"),
            kPeriodUnknown);
      }
      if (own.period == theirs.period && request.backbone != entry.backbone) {
        return InTheWay(entry, absl::StrCat("has register ", own.name, " linked to another backbone"), kReleasedBefore);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

LedgerEntry Forget(LedgerEntry entry) {
  for (LedgerTable& table : entry.tables) {
    table.values_kept = false;
    for (LedgerMeasure& measure : table.measures) {
      for (std::size_t i = 0; i < measure.value.size(); ++i) {
        if (measure.published[i] == 0) measure.value[i] = 0;
      }
      measure.contributors.clear();
      measure.top.clear();
      measure.top_per_cell = 0;
      measure.lower_level.clear();
      measure.upper_level.clear();
    }
  }
  return entry;
}

std::string EncodeLedgerEntry(const LedgerEntry& entry) {
  BinaryWriter writer;
  DescribeEntry(writer, entry);
  return std::string(kMagic) + writer.Take();
}

absl::StatusOr<LedgerEntry> DecodeLedgerEntry(std::string_view bytes) {
  const absl::Status damaged = absl::DataLossError("an entry of the ledger is damaged");
  if (!bytes.starts_with(kMagic)) return damaged;
  BinaryReader reader(bytes.substr(kMagic.size()));
  LedgerEntry entry;
  DescribeEntry(reader, entry);
  if (!reader.good() || !reader.at_end()) return damaged;
  if (!std::all_of(entry.tables.begin(), entry.tables.end(), HasItsForm)) return damaged;
  return entry;
}

absl::StatusOr<EarlierReleases> SelectEarlier(const LedgerDescription& request, const std::string& project,
                                              const std::vector<std::string>& replaces,
                                              std::vector<LedgerEntry> entries) {
  std::set<std::pair<std::string, std::string>> superseded;
  for (const LedgerEntry& entry : entries) {
    for (const std::string& release : entry.replaces) superseded.emplace(entry.project, release);
  }
  std::set<std::string> to_replace(replaces.begin(), replaces.end());
  std::set<std::string> populations;
  for (const LedgerTable& table : request.tables) populations.insert(table.population);
  EarlierReleases earlier;
  for (LedgerEntry& entry : entries) {
    if (superseded.contains({entry.project, entry.release})) continue;
    SLUIS_RETURN_IF_ERROR(CheckRegisters(request, entry));
    const bool is_replaced = entry.project == project && to_replace.erase(entry.release) > 0;
    bool meets = false;
    for (LedgerTable& table : entry.tables) {
      if (!populations.contains(table.population)) continue;
      for (const LedgerTable& own : request.tables) {
        if (own.population == table.population && !is_replaced) {
          SLUIS_RETURN_IF_ERROR(CheckTables(own, table, entry));
        }
      }
      meets = true;
      (is_replaced ? earlier.replaced : earlier.tables).push_back(std::move(table));
    }
    if (meets) earlier.consulted.push_back(absl::StrCat(entry.project, "/", entry.release));
  }
  if (!to_replace.empty()) {
    return common::WithReason(
        absl::FailedPreconditionError(
            absl::StrCat("replaces: ", *to_replace.begin(), " is no release of this permit that nothing replaced yet")),
        "REPLACES_NOTHING");
  }
  return earlier;
}

}  // namespace sluis::disclosure
