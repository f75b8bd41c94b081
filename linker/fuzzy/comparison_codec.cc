#include "linker/fuzzy/comparison_codec.h"

#include <bit>
#include <concepts>
#include <optional>
#include <type_traits>
#include <vector>

namespace sluis::linker {
namespace {

template <typename Value, typename Of>
concept Is = std::same_as<std::remove_const_t<Value>, Of>;

// Each names all members of its struct, so that a new one does not compile before it is either kept or left out here.
// What is kept is format: a change needs a new kFormat in comparison_store.cc.
template <typename Archive, Is<Estimate> Value>
void Members(Archive& archive, Value& estimate) {
  auto& [value, low, high] = estimate;
  archive(value, low, high);
}

template <typename Archive, Is<LogOddsTable> Value>
void Members(Archive& archive, Value& table) {
  auto& [scores, log_odds] = table;
  archive(scores, log_odds);
}

template <typename Archive, Is<NullTail> Value>
void Members(Archive& archive, Value& tail) {
  auto& [alpha, gamma] = tail;
  archive(alpha, gamma);
}

template <typename Archive, Is<ScoreFit> Value>
void Members(Archive& archive, Value& fit) {
  auto& [threshold, matches, match_share, links, precision, recall, credible, why_not, no_matches, log_odds,
         no_match_odds, null_a, null_b, confident_score] = fit;
  archive(threshold, matches, match_share, links, precision, recall, credible, why_not, no_matches, log_odds,
          no_match_odds, null_a, null_b, confident_score);
}

template <typename Archive, Is<PassStats> Value>
void Members(Archive& archive, Value& pass) {
  auto& [name, blocks, pairs, largest_block, split_blocks, split_records, skipped_blocks, skipped_records] = pass;
  archive(name, blocks, pairs, largest_block, split_blocks, split_records, skipped_blocks, skipped_records);
}

template <typename Archive, Is<RecallEstimate> Value>
void Members(Archive& archive, Value& recall) {
  auto& [sampled_rows, matches, computed, found] = recall;
  archive(sampled_rows, matches, computed, found);
}

template <typename Archive, Is<CandidateStats> Value>
void Members(Archive& archive, Value& stats) {
  auto& [passes, pairs_compared, recall_at_bit_error, recall, warnings] = stats;
  archive(passes, pairs_compared, recall_at_bit_error, recall, warnings);
}

template <typename Archive, Is<FieldWeights> Value>
void Members(Archive& archive, Value& field) {
  auto& [name, m, u, weights, depends_on] = field;
  archive(name, m, u, weights, depends_on);
}

template <typename Archive, Is<ReviewPattern> Value>
void Members(Archive& archive, Value& shown) {
  auto& [pattern, levels, pairs, log_odds] = shown;
  archive(pattern, levels, pairs, log_odds);
}

template <typename Archive, Is<ReviewTable> Value>
void Members(Archive& archive, Value& table) {
  auto& [min_pairs, patterns, pairs_hidden] = table;
  archive(min_pairs, patterns, pairs_hidden);
}

template <typename Archive, Is<ComparisonReport> Value>
void Members(Archive& archive, Value& report) {
  [[maybe_unused]] auto& [source_a, source_b, rows_a, rows_b, exhaustive, candidates, blocking_recall, pairs_compared,
                          pairs_scored, links, skipped, fit, bit_error, stable_weight, field_weights, review,
                          reviewed_patterns, reviewed_pairs, seconds, reused] = report;
  archive(rows_a, rows_b, exhaustive, candidates, blocking_recall, pairs_compared, pairs_scored, skipped, fit,
          bit_error, stable_weight, field_weights, review, reviewed_patterns, reviewed_pairs);
}

template <typename T>
void AppendNumber(T value, std::string& out) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) out += static_cast<char>(value >> (8 * byte) & 0xFF);
}

template <typename T>
T ReadNumber(std::string_view bytes) {
  T value = 0;
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
    value |= static_cast<T>(static_cast<std::uint8_t>(bytes[byte])) << (8 * byte);
  }
  return value;
}

class Writer {
 public:
  template <typename... Values>
  void operator()(const Values&... values) {
    (Put(values), ...);
  }
  std::string Take() { return std::move(out_); }

 private:
  void Put(std::uint8_t value) { out_ += static_cast<char>(value); }
  void Put(bool value) { out_ += value ? '\1' : '\0'; }
  void Put(std::uint32_t value) { AppendNumber(value, out_); }
  void Put(std::int32_t value) { AppendNumber(std::bit_cast<std::uint32_t>(value), out_); }
  void Put(std::uint64_t value) { AppendNumber(value, out_); }
  void Put(double value) { AppendNumber(std::bit_cast<std::uint64_t>(value), out_); }
  void Put(const std::string& text) {
    Put(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  template <typename T>
  void Put(const std::vector<T>& items) {
    Put(static_cast<std::uint32_t>(items.size()));
    for (const T& item : items) Put(item);
  }
  template <typename T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }
  template <typename T>
  requires std::is_class_v<T>
  void Put(const T& value) { Members(*this, value); }

  std::string out_;
};

// Beyond the end everything is zero or empty, and Finished says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <typename... Values>
  void operator()(Values&... values) {
    (Get(values), ...);
  }
  bool Finished() const { return !damaged_ && rest_.empty(); }

 private:
  std::string_view Next(std::size_t size) {
    static constexpr char kZeros[8] = {};
    if (size > rest_.size()) {
      damaged_ = true;
      rest_ = {};
      return {kZeros, std::min(size, sizeof(kZeros))};
    }
    const std::string_view next = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return next;
  }
  void Get(std::uint8_t& value) { value = static_cast<std::uint8_t>(Next(1)[0]); }
  void Get(bool& value) {
    const char byte = Next(1)[0];
    damaged_ = damaged_ || (byte != 0 && byte != 1);
    value = byte == 1;
  }
  void Get(std::uint32_t& value) { value = ReadNumber<std::uint32_t>(Next(4)); }
  void Get(std::int32_t& value) { value = std::bit_cast<std::int32_t>(ReadNumber<std::uint32_t>(Next(4))); }
  void Get(std::uint64_t& value) { value = ReadNumber<std::uint64_t>(Next(8)); }
  void Get(double& value) { value = std::bit_cast<double>(ReadNumber<std::uint64_t>(Next(8))); }
  // Every item takes a byte at least, so that a damaged length cannot ask for memory without end.
  std::uint32_t Count() {
    std::uint32_t count = 0;
    Get(count);
    if (count <= rest_.size()) return count;
    damaged_ = true;
    return 0;
  }
  void Get(std::string& text) { text = Next(Count()); }
  template <typename T>
  void Get(std::vector<T>& items) {
    items.clear();
    for (std::uint32_t left = Count(); left > 0 && !damaged_; --left) Get(items.emplace_back());
  }
  template <typename T>
  void Get(std::optional<T>& value) {
    bool there = false;
    Get(there);
    if (there) Get(value.emplace());
  }
  template <typename T>
  requires std::is_class_v<T>
  void Get(T& value) { Members(*this, value); }

  std::string_view rest_;
  bool damaged_ = false;
};

}  // namespace

std::string EncodeReport(const ComparisonReport& report) {
  Writer writer;
  writer(report);
  return writer.Take();
}

absl::StatusOr<ComparisonReport> DecodeReport(std::string_view bytes) {
  ComparisonReport report;
  Reader reader(bytes);
  reader(report);
  if (!reader.Finished()) return absl::DataLossError("a kept comparison is damaged: its report cannot be read");
  return report;
}

void AppendPair(const ScoredPair& pair, std::string& out) {
  AppendNumber(pair.a, out);
  AppendNumber(pair.b, out);
  AppendNumber(std::bit_cast<std::uint32_t>(pair.log_odds), out);
}

ScoredPair ReadPair(std::string_view bytes) {
  return {ReadNumber<std::uint32_t>(bytes), ReadNumber<std::uint32_t>(bytes.substr(4)),
          std::bit_cast<float>(ReadNumber<std::uint32_t>(bytes.substr(8)))};
}

void AppendLittleEndian32(std::uint32_t value, std::string& out) { AppendNumber(value, out); }
std::uint32_t ReadLittleEndian32(std::string_view bytes) { return ReadNumber<std::uint32_t>(bytes); }

}  // namespace sluis::linker
