#include "cli/match/links_file.h"

#include <string_view>
#include <vector>

#include "common/csv/csv_writer.h"

namespace sluis::cli {

std::string LinksCsv(std::span<const Input> inputs, const linker::Clustering& clustering) {
  std::string out;
  common::CsvWriter csv(out);
  for (const std::string_view name : {"entity", "source", "record_id", "status"}) csv.Field(name);
  csv.EndRecord();
  std::vector<std::uint32_t> numbers(clustering.entities.size());
  std::uint32_t entities = 0;
  for (std::size_t source = 0; source < inputs.size(); ++source) {
    for (std::size_t record = 0; record < inputs[source].ids.size(); ++record) {
      std::uint32_t& number = numbers[clustering.entity_of[source][record]];
      if (number == 0) number = ++entities;
      csv.Field(std::to_string(number));
      csv.Field(inputs[source].source.name);
      csv.Field(inputs[source].ids[record]);
      csv.Field(linker::LinkStatusName(clustering.status[source][record]));
      csv.EndRecord();
    }
  }
  return out;
}

}  // namespace sluis::cli
