#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/release/evidence.h"

// One description of the format serves writing and reading: Describe visits every field in order with either codec.

namespace sluis::disclosure {
namespace {

constexpr std::string_view kMagic = "sluis-evidence-v1\n";

// Whole numbers as LEB128; signed ones zigzag first.
class Writer {
 public:
  void Number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  template <typename T>
  void Field(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      Number(value.size());
      bytes_ += value;
    } else if constexpr (std::is_enum_v<T> || std::is_unsigned_v<T>) {
      Number(static_cast<std::uint64_t>(value));
    } else {
      const auto wide = static_cast<std::int64_t>(value);
      Number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
    }
  }
  void Field(const common::Hash256& hash) { bytes_.append(reinterpret_cast<const char*>(hash.data()), hash.size()); }
  template <typename Container, typename Each>
  void List(const Container& list, const Each& each) {
    Number(list.size());
    for (const auto& item : list) each(item);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Fail();
      const auto byte = static_cast<std::uint8_t>(bytes_[0]);
      bytes_.remove_prefix(1);
      // No bits beyond 64, and no needless last byte: a number has one form.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) return Fail();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  template <typename T>
  void Field(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      const std::uint64_t size = Number();
      if (size > bytes_.size()) {
        Fail();
        return;
      }
      value = std::string(bytes_.substr(0, size));
      bytes_.remove_prefix(size);
    } else if constexpr (std::is_enum_v<T> || std::is_unsigned_v<T>) {
      const std::uint64_t number = Number();
      value = static_cast<T>(number);
      if (static_cast<std::uint64_t>(value) != number) Fail();
    } else {
      const std::uint64_t number = Number();
      const auto wide = static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
      value = static_cast<T>(wide);
      if (static_cast<std::int64_t>(value) != wide) Fail();
    }
  }
  void Field(common::Hash256& hash) {
    if (bytes_.size() < hash.size()) {
      Fail();
      return;
    }
    std::copy_n(bytes_.begin(), hash.size(), hash.begin());
    bytes_.remove_prefix(hash.size());
  }
  template <typename Item, typename Each>
  void List(std::vector<Item>& list, const Each& each) {
    const std::uint64_t size = Number();
    // Every item takes a byte at least.
    if (size > bytes_.size()) Fail();
    list.clear();
    for (std::uint64_t i = 0; i < size && good_; ++i) each(list.emplace_back());
  }

  std::uint64_t Fail() {
    good_ = false;
    bytes_ = {};
    return 0;
  }
  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

template <typename Value>
void DescribeMap(Writer& codec, const std::map<std::string, Value>& map) {
  codec.List(map, [&](const auto& item) {
    codec.Field(item.first);
    codec.Field(item.second);
  });
}
template <typename Value>
void DescribeMap(Reader& codec, std::map<std::string, Value>& map) {
  std::vector<std::pair<std::string, Value>> items;
  codec.List(items, [&](auto& item) {
    codec.Field(item.first);
    codec.Field(item.second);
  });
  for (auto& item : items) {
    // Ascending, so that a map has one form.
    if (!map.empty() && item.first <= map.rbegin()->first) codec.Fail();
    map.insert(std::move(item));
  }
}

template <typename Codec, typename List>
void Items(Codec& codec, List& list) {
  codec.List(list, [&](auto& item) { codec.Field(item); });
}

template <typename Codec, typename System>
void DescribeSystem(Codec& codec, System& system) {
  codec.Field(system.num_cells);
  Items(codec, system.relations.total);
  Items(codec, system.relations.part_begin);
  Items(codec, system.relations.part);
  Items(codec, system.suppressible);
  Items(codec, system.cost);
  codec.List(system.measures, [&](auto& measure) {
    codec.Field(measure.name);
    Items(codec, measure.value);
    Items(codec, measure.reason);
    Items(codec, measure.lower_level);
    Items(codec, measure.upper_level);
    Items(codec, measure.upper_bound);
  });
}

template <typename Codec, typename Evidences>
void Describe(Codec& codec, Evidences& evidence) {
  codec.Field(evidence.request_id);
  codec.Field(evidence.permit_id);
  codec.Field(evidence.link_set);
  codec.Field(evidence.software);
  codec.Field(evidence.permit_sha256);
  codec.Field(evidence.request);
  codec.Field(evidence.rule_set);
  DescribeMap(codec, evidence.attachments);
  codec.List(evidence.tables, [&](auto& table) {
    codec.Field(table.name);
    codec.List(table.dimensions, [&](auto& dimension) {
      codec.Field(dimension.name);
      codec.List(dimension.codes, [&](auto& code) {
        codec.Field(code.code);
        codec.Field(code.label);
        codec.Field(code.level);
      });
    });
    Items(codec, table.measures);
    Items(codec, table.cell_of);
  });
  DescribeSystem(codec, evidence.request_system.system);
  codec.List(evidence.request_system.views, [&](auto& view) {
    codec.Field(view.measure);
    codec.Field(view.kind);
    codec.Field(view.by_holding);
    Items(codec, view.cells.contributors);
    Items(codec, view.cells.total);
    codec.Field(view.cells.top_per_cell);
    Items(codec, view.cells.top);
  });
  Items(codec, evidence.pattern);
  codec.Field(evidence.certificate);
  DescribeMap(codec, evidence.released_sha256);
}

// Indices that later code uses without a look must be in range before it does.
bool RelationsAreWellFormed(const CellSystem& system) {
  const Relations& relations = system.relations;
  if (system.num_cells < 0 || relations.part_begin.size() != relations.total.size() + 1 ||
      relations.part_begin[0] != 0 || relations.part_begin.back() != static_cast<std::int64_t>(relations.part.size()) ||
      !std::is_sorted(relations.part_begin.begin(), relations.part_begin.end())) {
    return false;
  }
  const auto in_range = [&](std::int32_t cell) { return cell >= 0 && cell < system.num_cells; };
  return std::all_of(relations.total.begin(), relations.total.end(), in_range) &&
         std::all_of(relations.part.begin(), relations.part.end(), in_range);
}

bool EnumsAreKnown(const Evidence& evidence) {
  for (const Measure& measure : evidence.request_system.system.measures) {
    for (const PrimaryReason reason : measure.reason) {
      if (reason > PrimaryReason::kGroup) return false;
    }
  }
  return std::all_of(evidence.request_system.views.begin(), evidence.request_system.views.end(),
                     [](const ContributionView& view) {
                       return view.kind == MeasureKind::kCount || view.kind == MeasureKind::kAmount;
                     });
}

}  // namespace

std::string EncodeEvidence(const Evidence& evidence) {
  Writer writer;
  Describe(writer, evidence);
  return std::string(kMagic) + writer.Take();
}

absl::StatusOr<Evidence> DecodeEvidence(std::string_view bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::InvalidArgumentError("evidence: no evidence of version 1");
  }
  Reader reader(bytes.substr(kMagic.size()));
  Evidence evidence;
  Describe(reader, evidence);
  if (!reader.good()) return absl::InvalidArgumentError("evidence: is truncated or malformed");
  if (!reader.at_end()) return absl::InvalidArgumentError("evidence: has bytes left over");
  if (!RelationsAreWellFormed(evidence.request_system.system) || !EnumsAreKnown(evidence)) {
    return absl::InvalidArgumentError("evidence: an index or code is out of range");
  }
  return evidence;
}

}  // namespace sluis::disclosure
