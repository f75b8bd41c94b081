#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/generate/population.h"

// The rows of the five registers, as their custodians write them.

namespace sluis::cli {

enum class RegisterId : std::uint8_t { kPersons, kJobs, kBenefits, kDiplomas, kCivic };
inline constexpr std::size_t kRegisters = 5;

enum class Compression { kNone, kGzip, kZstd };

struct RegisterFile {
  std::string_view name;  // in truth.csv
  std::string_view file;
  Compression compression;
  std::string_view header;  // with its line end, and a byte order mark if it has one
};
// By RegisterId:
//   persons   comma, UTF-8, LF, dates yyyy-mm-dd
//   jobs      semicolon, Windows-1252, CRLF, dates dd-mm-yyyy, decimal comma
//   benefits  tab, ASCII in capitals, LF, dates yyyymmdd with 00 for an unknown month and day; gzip
//   diplomas  comma, UTF-8, LF, dates yyyy-mm-dd; zstd
//   civic     comma, UTF-8 with byte order mark, CRLF, all texts quoted, dates yyyy-mm-dd
[[nodiscard]] const std::array<RegisterFile, kRegisters>& RegisterFiles();

// Rows of one register for one block, and whose they are (Person::index).
struct BlockRows {
  std::string bytes;
  std::vector<std::int64_t> persons;
};
using BlockRegisters = std::array<BlockRows, kRegisters>;

// Replaces `rows` by the rows of `block`. The person register is in the order of residents; the others are each in an
// order of their own within the block. Capacity is reused. Cost: 1 to 2 microseconds a person.
void WriteBlock(const CountrySeed& country, std::uint64_t block_number, const Block& block, BlockRegisters& rows);

}  // namespace sluis::cli
