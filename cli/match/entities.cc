#include "cli/match/entities.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::array<std::string_view, 3> kColumns = {"entity", "source", "record_id"};

absl::Status At(const std::string& file, std::uint64_t row, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file, ", row ", row, ": ", std::string(what)));
}

absl::StatusOr<std::array<std::size_t, 3>> FindColumns(const std::vector<std::string>& header,
                                                       const std::string& file) {
  std::array<std::size_t, 3> columns{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto count = std::ranges::count(header, kColumns[i]);
    if (count != 1) {
      return At(file, 1,
                absl::StrCat("the column ", std::string(kColumns[i]), count == 0 ? " is missing" : " occurs twice",
                             "; entity, source and record_id are needed, as in links.csv"));
    }
    columns[i] = static_cast<std::size_t>(std::ranges::find(header, kColumns[i]) - header.begin());
  }
  return columns;
}

}  // namespace

absl::StatusOr<Entities> ReadEntities(std::unique_ptr<common::ByteSource> bytes, const std::string& name) {
  auto reader = common::CsvReader::Open(std::move(bytes), {});
  if (!reader.ok()) return common::Annotate(reader.status(), name);
  SLUIS_ASSIGN_OR_RETURN(const auto columns, FindColumns((*reader)->header(), name));
  Entities entities;
  std::unordered_map<std::string, std::uint32_t> numbers;
  for (;;) {
    common::Record record;
    const absl::StatusOr<bool> found = (*reader)->Next(record);
    if (!found.ok()) return common::Annotate(found.status(), absl::StrCat(name, ", row ", (*reader)->row()));
    if (!*found) break;
    if (record.fault != common::RecordFault::kNone) {
      return At(name, record.row, "not a record of valid UTF-8 with as many fields as the header");
    }
    std::array<std::string, 3> values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      values[i] = record.fields[columns[i]];
      if (values[i].empty()) return At(name, record.row, absl::StrCat(std::string(kColumns[i]), " is empty"));
    }
    if (numbers.size() >= std::numeric_limits<std::uint32_t>::max() - 1) {
      return absl::ResourceExhaustedError(absl::StrCat(name, " has more than 4,294,967,294 entities"));
    }
    const auto number = numbers.emplace(std::move(values[0]), static_cast<std::uint32_t>(numbers.size())).first->second;
    if (!entities.by_source[values[1]].emplace(std::move(values[2]), number).second) {
      return At(name, record.row, "an earlier row names the same record; each record belongs to one entity");
    }
    ++entities.records;
  }
  entities.entities = static_cast<std::uint32_t>(numbers.size());
  return entities;
}

absl::StatusOr<Evaluation> Evaluate(const Entities& links, const Entities& truth, bool within_sources) {
  Evaluation evaluation;
  std::vector<std::uint32_t> found, known;
  std::map<std::pair<std::size_t, std::uint32_t>, std::uint32_t> found_labels, known_labels;
  const auto label = [](auto& labels, std::size_t source, std::uint32_t entity) {
    return labels.emplace(std::pair(source, entity), static_cast<std::uint32_t>(labels.size())).first->second;
  };
  std::size_t source = 0;
  for (const auto& [name, records] : links.by_source) {
    source += within_sources ? 1 : 0;
    const auto true_source = truth.by_source.find(name);
    std::uint64_t both = 0;
    for (const auto& [id, entity] : records) {
      if (true_source == truth.by_source.end()) break;
      const auto true_entity = true_source->second.find(id);
      if (true_entity == true_source->second.end()) continue;
      ++both;
      found.push_back(label(found_labels, source, entity));
      known.push_back(label(known_labels, source, true_entity->second));
    }
    evaluation.not_in_truth += records.size() - both;
    if (true_source != truth.by_source.end()) evaluation.not_in_links += true_source->second.size() - both;
  }
  if (found.empty()) {
    return absl::InvalidArgumentError(
        "the truth names no record of the links: source must be the input's file name without extension, record_id its "
        "key");
  }
  evaluation.records = found.size();
  SLUIS_ASSIGN_OR_RETURN(evaluation.quality, linker::EvaluatePartition(found, known));
  return evaluation;
}

std::string ToText(const Evaluation& evaluation) {
  const linker::PairwiseQuality& pairwise = evaluation.quality.pairwise;
  const auto line = [](const char* name, const linker::Quality& quality) {
    char text[100];
    std::snprintf(text, sizeof(text), "%-10s %9.4f %9.4f %9.4f\n", name, quality.precision, quality.recall, quality.f1);
    return std::string(text);
  };
  std::string text = "           precision    recall        F1\n" + line("pairwise", pairwise.quality) +
                     line("B-cubed", evaluation.quality.b_cubed);
  absl::StrAppend(&text, evaluation.records, " records; ", pairwise.found_pairs, " pairs linked, ", pairwise.true_pairs,
                  " pairs in truth, ", pairwise.both, " in both\n");
  if (evaluation.not_in_truth > 0) {
    absl::StrAppend(&text, evaluation.not_in_truth, " records are not in the truth and do not count\n");
  }
  if (evaluation.not_in_links > 0) {
    absl::StrAppend(&text, evaluation.not_in_links, " records of the truth are not in the links and do not count\n");
  }
  return text;
}

nlohmann::ordered_json ToJson(const Evaluation& evaluation) {
  const auto quality = [](const linker::Quality& q) {
    return nlohmann::ordered_json{{"precision", q.precision}, {"recall", q.recall}, {"f1", q.f1}};
  };
  const linker::PairwiseQuality& pairwise = evaluation.quality.pairwise;
  return {{"records", evaluation.records},           {"not_in_truth", evaluation.not_in_truth},
          {"not_in_links", evaluation.not_in_links}, {"found_pairs", pairwise.found_pairs},
          {"true_pairs", pairwise.true_pairs},       {"correct_pairs", pairwise.both},
          {"pairwise", quality(pairwise.quality)},   {"b_cubed", quality(evaluation.quality.b_cubed)}};
}

}  // namespace sluis::cli
