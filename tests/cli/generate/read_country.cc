#include "tests/cli/generate/read_country.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "gtest/gtest.h"

namespace sluis::cli::testing {
namespace {

std::string ReadGzip(const std::string& path) {
  std::string content;
  std::vector<char> buffer(1 << 16);
  gzFile file = gzopen(path.c_str(), "rb");
  for (int count = gzread(file, buffer.data(), 1 << 16); count > 0; count = gzread(file, buffer.data(), 1 << 16)) {
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  EXPECT_EQ(gzclose(file), Z_OK);
  return content;
}

std::string ReadZstd(const std::string& bytes) {
  std::string content;
  std::vector<char> buffer(1 << 16);
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t left = 1;
  while (in.pos < in.size) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    left = ZSTD_decompressStream(context, &out, &in);
    EXPECT_FALSE(ZSTD_isError(left));
    content.append(buffer.data(), out.pos);
  }
  EXPECT_EQ(left, 0u) << "the file is truncated";
  ZSTD_freeDCtx(context);
  return content;
}

}  // namespace

std::size_t Table::Column(const std::string& name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) {
      return i;
    }
  }
  ADD_FAILURE() << "no column " << name;
  return 0;
}

std::string ReadContent(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.compare(0, 2, "\x1f\x8b") == 0) {
    return ReadGzip(path);
  }
  return bytes.compare(0, 4, "\x28\xb5\x2f\xfd") == 0 ? ReadZstd(bytes) : bytes;
}

Table ParseTable(const std::string& content, char delimiter) {
  Table table;
  std::istringstream lines(content.compare(0, 3, "\xEF\xBB\xBF") == 0 ? content.substr(3) : content);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == delimiter) {
        fields.emplace_back();
      } else if (c != '"') {
        fields.back().push_back(c);
      }
    }
    if (table.columns.empty()) {
      table.columns = fields;
    } else {
      table.rows.push_back(fields);
    }
  }
  return table;
}

ReadCountry ReadCountryFrom(const std::string& directory) {
  static constexpr std::array<char, kRegisters> kDelimiters = {',', ';', '\t', ',', ','};
  ReadCountry country;
  for (std::size_t id = 0; id < kRegisters; ++id) {
    country.registers[id] =
        ParseTable(ReadContent(directory + "/" + std::string(RegisterFiles()[id].file)), kDelimiters[id]);
    country.truth[id].assign(country.registers[id].rows.size(), -2);
  }
  for (const std::vector<std::string>& line : ParseTable(ReadContent(directory + "/truth.csv"), ',').rows) {
    for (std::size_t id = 0; id < kRegisters; ++id) {
      if (line.at(0) == RegisterFiles()[id].name) {
        std::int64_t& person = country.truth[id].at(std::stoull(line.at(1)) - 1);
        EXPECT_EQ(person, -2) << "two lines for one row of " << line.at(0);
        person = std::stoll(line.at(2));
      }
    }
  }
  return country;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = ::testing::TempDir() + "/sluis-generate-XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

}  // namespace sluis::cli::testing
