#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linker/fellegi_sunter/field_column.h"
#include "linker/kernel/encoding_table.h"
#include "linker/match/token.h"

namespace sluis::linker {

// One register as the matching sees it: encodings and exact tokens, no values. Records are numbered from 0.
struct MatchSource {
  std::string name;
  std::uint32_t records = 0;
  // By exact pass of the plan, then by record: equal tokens, one person; absent ones agree with nothing.
  std::vector<std::vector<Token>> exact;
  // Record level: one table, with a row for each record that has any feature, and `record_of_row` in ascending order.
  std::vector<EncodingTable> tables;
  std::vector<std::uint32_t> record_of_row;
  // Field level: by feature of the plan.
  std::vector<FieldColumn> columns;
};

}  // namespace sluis::linker
