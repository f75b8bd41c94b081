#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli/tables/load_table.h"
#include "gtest/gtest.h"

namespace sluis::cli::testing {

// A folder with the files of a small table, removed at the end.
class TableFolder : public ::testing::Test {
 protected:
  TableFolder() {
    static int count = 0;
    folder_ = ::testing::TempDir() + "/sluis_table_" + std::to_string(getpid()) + "_" + std::to_string(count++);
    std::filesystem::create_directories(folder_);
  }
  ~TableFolder() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Put(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  std::string Get(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Three regions by two sexes, 12 cells; A/m is a sensitive 2.
  TableFiles Small() {
    Put("regions.csv", "@;T\n@@;A\n@@;B\n@@;C\n");
    Put("cells.csv", SmallCells());
    TableFiles files;
    files.cells = {Path("cells.csv")};
    files.dimensions = {"region", "sex"};
    files.hierarchies = {{"region", Path("regions.csv")}};
    return files;
  }
  static std::string SmallCells() {
    return "region,sex,n,value,primary,lpl,upl\n"
           "T,T,60,60,0,0,0\nT,m,32,32,0,0,0\nT,f,28,28,0,0,0\n"
           "A,T,12,12,0,0,0\nA,m,2,2,1,1,1\nA,f,10,10,0,0,0\n"
           "B,T,23,23,0,0,0\nB,m,13,13,0,0,0\nB,f,10,10,0,0,0\n"
           "C,T,25,25,0,0,0\nC,m,17,17,0,0,0\nC,f,8,8,0,0,0\n";
  }
  static std::string Replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
  }

  std::string folder_;
};

}  // namespace sluis::cli::testing
