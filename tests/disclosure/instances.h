#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "disclosure/system/system.h"
#include "disclosure/system/table_shape.h"

// Reads the published test tables for suppression: see each reader for the format.

namespace sluis::disclosure::testing {

inline std::filesystem::path InstanceDirectory(const std::string& name) {
  const char* data = std::getenv("SLUIS_TEST_DATA");
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  const std::filesystem::path root = data != nullptr && *data != '\0'
                                         ? std::filesystem::path(data)
                                         : std::filesystem::path(source == nullptr ? "." : source) / "../shared/data";
  return root / "tables" / name;
}

inline std::vector<std::string> SplitLine(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

// table.csv (d1..dk,n,value,top1,top2,primary,lpl,upl) and hier_d1.csv .. hier_dk.csv ("@@;code", top down). One
// measure; cost = value. `with_count`: a second measure, the count n, in which a cell of fewer than 3 records needs
// +-1.
inline CellSystem ReadHierarchicalInstance(const std::filesystem::path& directory, bool with_count = false) {
  std::vector<DimensionTree> dimensions;
  std::vector<std::map<std::string, int32_t>> code_of;
  for (int d = 1;; ++d) {
    std::ifstream file(directory / ("hier_d" + std::to_string(d) + ".csv"));
    if (!file) break;
    DimensionTree& tree = dimensions.emplace_back();
    std::map<std::string, int32_t>& codes = code_of.emplace_back();
    std::vector<int32_t> above;
    for (std::string line; std::getline(file, line);) {
      const size_t level = line.find(';');
      const int32_t code = static_cast<int32_t>(tree.parent.size());
      above.resize(level - 1);
      tree.parent.push_back(above.empty() ? -1 : above.back());
      codes[line.substr(level + 1)] = code;
      above.push_back(code);
    }
  }
  const size_t k = dimensions.size();
  const TableShape shape = TableShape::Create(dimensions).value();
  const std::vector<std::string> names = with_count ? std::vector<std::string>{"value", "count"}  //
                                                    : std::vector<std::string>{"value"};
  CellSystem system = MakeCellSystem(shape.num_cells(), names);
  system.relations = shape.BuildRelations();
  std::ifstream table(directory / "table.csv");
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    const std::vector<std::string> field = SplitLine(line);
    std::vector<int32_t> codes;
    for (size_t d = 0; d < k; ++d) codes.push_back(code_of[d].at(field[d]));
    const size_t cell = static_cast<size_t>(shape.CellId(codes));
    Measure& value = system.measures[0];
    value.value[cell] = std::stoll(field[k + 1]);
    system.cost[cell] = value.value[cell];
    if (field[k + 4] == "1") {
      value.reason[cell] = PrimaryReason::kPPercent;
      value.lower_level[cell] = std::stoll(field[k + 5]);
      value.upper_level[cell] = std::stoll(field[k + 6]);
    }
    if (!with_count) continue;
    Measure& count = system.measures[1];
    count.value[cell] = std::stoll(field[k]);
    if (count.value[cell] > 0 && count.value[cell] < 3) {
      count.reason[cell] = PrimaryReason::kFrequency;
      count.lower_level[cell] = count.upper_level[cell] = 1;
    }
  }
  MarkEmptyCells(system);
  SetUpperBounds(system);
  return system;
}

// cells.csv (id,value,value_known,sensitive,prot,lo,up) and rows.csv (row,cell,coef; a row sums to 0 and has one cell
// of the other sign: the total). Cost = value.
inline CellSystem ReadGenericInstance(const std::filesystem::path& directory) {
  std::vector<std::vector<std::string>> cells;
  std::ifstream cell_file(directory / "cells.csv");
  std::string line;
  std::getline(cell_file, line);
  while (std::getline(cell_file, line)) cells.push_back(SplitLine(line));
  const std::vector<std::string> names = {"value"};
  CellSystem system = MakeCellSystem(static_cast<int32_t>(cells.size()), names);
  Measure& measure = system.measures[0];
  for (size_t i = 0; i < cells.size(); ++i) {
    measure.value[i] = system.cost[i] = std::stoll(cells[i][1]);
    if (cells[i][3] != "1") continue;
    measure.reason[i] = PrimaryReason::kDeclared;
    measure.upper_level[i] = std::stoll(cells[i][4]);
    measure.lower_level[i] = std::min(measure.upper_level[i], measure.value[i]);
  }
  std::map<int, std::vector<std::pair<int32_t, int>>> rows;
  std::ifstream row_file(directory / "rows.csv");
  std::getline(row_file, line);
  while (std::getline(row_file, line)) {
    const std::vector<std::string> field = SplitLine(line);
    rows[std::stoi(field[0])].emplace_back(std::stoi(field[1]), std::stoi(field[2]));
  }
  for (const auto& [row, terms] : rows) {
    int negative = 0;
    for (const auto& [cell, sign] : terms) negative += sign < 0 ? 1 : 0;
    const int total_sign = negative == 1 ? -1 : 1;
    int32_t total = -1;
    std::vector<int32_t> parts;
    for (const auto& [cell, sign] : terms) {
      if (sign == total_sign && total < 0) {
        total = cell;
      } else {
        parts.push_back(cell);
      }
    }
    system.relations.Add(total, parts);
  }
  MarkEmptyCells(system);
  SetUpperBounds(system);
  return system;
}

}  // namespace sluis::disclosure::testing
