#include "cli/generate/table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "cli/generate/output_file.h"
#include "cli/generate/random.h"
#include "cli/generate/row_writer.h"
#include "cli/generate/table_shape_text.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "disclosure/system/int128.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxRecords = 1'000'000'000;
constexpr std::int64_t kMaxCells = 100'000'000;
constexpr std::size_t kFlushBytes = 1 << 16;
constexpr std::uint64_t kProgressRecords = 1 << 16;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Returns 2^(exponent / 65536) in units of 1/65536, to about 0.3 %; exponent -1,048,576 .. 2,097,152.
std::uint64_t PowerOfTwo(std::int64_t exponent) {
  const std::int64_t whole = exponent >> 16;
  const std::int64_t fraction = exponent & 0xFFFF;
  // 2^f = 1 + f * (0.6565 + 0.3435 * f) on [0, 1].
  const std::int64_t mantissa = 65536 + (fraction * (43024 + ((22512 * fraction) >> 16)) >> 16);
  return static_cast<std::uint64_t>(whole >= 0 ? mantissa << whole : mantissa >> -whole);
}

// Returns a number that is about normally distributed with variance 1, in units of 1/65536: the sum of twelve numbers
// that are equally distributed between 0 and 1, less 6.
std::int64_t Normal(Random& random) {
  std::int64_t sum = 0;
  for (int k = 0; k < 3; ++k) {
    const std::uint64_t word = random.Next();
    for (int part = 0; part < 4; ++part) sum += static_cast<std::int64_t>((word >> (16 * part)) & 0xFFFF);
  }
  return sum - 6 * 65536;
}

// An amount: median 64, standard deviation 1.5 of its natural logarithm.
std::int64_t Amount(Random& random) {
  constexpr std::int64_t kDoublings = 141823;  // 1.5 / ln 2 in units of 1/65536
  const std::int64_t exponent = 6 * 65536 + ((Normal(random) * kDoublings) >> 16);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(PowerOfTwo(exponent) >> 16));
}

// Draws leaf codes with the frequencies of one dimension.
class LeafSampler {
 public:
  LeafSampler(const GeneratedDimension& dimension, std::size_t d, const GenerateTableOptions& options) {
    std::uint64_t total = 0;
    for (std::int32_t leaf = 0; leaf < dimension.leaves; ++leaf) {
      Random random(options.seed, Purpose::kTableCodes, d, static_cast<std::uint64_t>(leaf));
      const std::int64_t doublings = static_cast<std::int64_t>(options.skew_percent) * 65536 * 1000 / 69315;
      const std::int64_t exponent =
          std::clamp<std::int64_t>((Normal(random) * doublings) >> 16, -10 * 65536, 10 * 65536);
      total += std::max<std::uint64_t>(1, PowerOfTwo(exponent) >> 4);
      upto_.push_back(total);
    }
  }
  std::int32_t Draw(Random& random) const {
    const std::uint64_t at =
        static_cast<std::uint64_t>(((random.Next() >> 32) * disclosure::Int128{upto_.back()}) >> 32);
    return static_cast<std::int32_t>(std::upper_bound(upto_.begin(), upto_.end(), at) - upto_.begin());
  }

 private:
  std::vector<std::uint64_t> upto_;  // running sums
};

struct Cells {
  std::vector<std::int32_t> records;
  std::vector<std::int64_t> value, first, second;

  explicit Cells(std::size_t size) : records(size), value(size), first(size), second(size) {}
  void Add(std::size_t to, std::int32_t n, std::int64_t amount, std::int64_t largest, std::int64_t next) {
    records[to] += n;
    value[to] += amount;
    for (const std::int64_t x : {largest, next}) {
      if (x > first[to]) {
        second[to] = first[to];
        first[to] = x;
      } else if (x > second[to]) {
        second[to] = x;
      }
    }
  }
};

class TableMaker {
 public:
  TableMaker(const GenerateTableOptions& options, std::vector<GeneratedDimension> dimensions, std::int64_t cells)
      : options_(options), dimensions_(std::move(dimensions)), cells_(Index(cells)) {
    stride_.resize(dimensions_.size());
    std::int64_t stride = 1;
    for (std::size_t d = dimensions_.size(); d-- > 0;) {
      stride_[d] = stride;
      stride *= static_cast<std::int64_t>(dimensions_[d].codes.size());
      std::vector<std::int32_t>& code_of = leaf_code_.emplace_back();
      for (std::size_t c = 0; c < dimensions_[d].codes.size(); ++c) {
        if (dimensions_[d].codes[c].leaf >= 0) code_of.push_back(static_cast<std::int32_t>(c));
      }
    }
    std::reverse(leaf_code_.begin(), leaf_code_.end());
  }

  absl::StatusOr<GeneratedTable> Write(int directory,
                                       const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    SLUIS_RETURN_IF_ERROR(MakeRecords(directory, progress));
    SLUIS_RETURN_IF_ERROR(WriteInner(directory));
    RollUp();
    SLUIS_RETURN_IF_ERROR(WriteTable(directory));
    for (std::size_t d = 0; d < dimensions_.size(); ++d) SLUIS_RETURN_IF_ERROR(WriteHierarchy(directory, d));
    for (const auto& file : files_) SLUIS_RETURN_IF_ERROR(file->Publish());
    return found_;
  }

 private:
  // A file that is filled by way of a buffer.
  struct Sink {
    OutputFile* file = nullptr;
    std::string bytes;
    RowWriter row{bytes, ',', DateStyle::kIso};

    absl::Status EndRow() {
      row.EndRow("\n");
      return bytes.size() < kFlushBytes ? absl::OkStatus() : Flush();
    }
    absl::Status Flush() {
      const absl::Status status = file->Append(bytes);
      bytes.clear();
      return status;
    }
    absl::Status Finish() {
      SLUIS_RETURN_IF_ERROR(Flush());
      return file->Finish();
    }
  };

  absl::Status Open(int directory, const std::string& name, Sink& sink) {
    files_.push_back(std::make_unique<OutputFile>(directory, name, Compression::kNone));
    sink.file = files_.back().get();
    return sink.file->Open();
  }

  void DimensionNames(Sink& sink) const {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) sink.row.Text("d" + std::to_string(d + 1));
  }

  void CodeNames(std::size_t cell, Sink& sink) const {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) sink.row.Text(dimensions_[d].codes[CodeOf(cell, d)].name);
  }

  std::size_t CodeOf(std::size_t cell, std::size_t d) const {
    return cell / Index(stride_[d]) % dimensions_[d].codes.size();
  }

  absl::Status MakeRecords(int directory, const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    std::vector<LeafSampler> samplers;
    for (std::size_t d = 0; d < dimensions_.size(); ++d) samplers.emplace_back(dimensions_[d], d, options_);
    Sink sink;
    if (options_.microdata) {
      SLUIS_RETURN_IF_ERROR(Open(directory, "micro.csv", sink));
      sink.row.Text("id");
      sink.row.Text("holding");
      DimensionNames(sink);
      sink.row.Text("value");
      SLUIS_RETURN_IF_ERROR(sink.EndRow());
    }
    for (std::uint64_t id = 0; id < options_.records; ++id) {
      Random random(options_.seed, Purpose::kTableRecords, id);
      const std::uint32_t holding = random.Below(options_.records + options_.records / 4 + 1);
      std::int64_t cell = 0;
      std::int64_t codes[8];
      for (std::size_t d = 0; d < dimensions_.size(); ++d) {
        codes[d] = leaf_code_[d][Index(samplers[d].Draw(random))];
        cell += stride_[d] * codes[d];
      }
      const std::int64_t amount = Amount(random);
      cells_.Add(Index(cell), 1, amount, amount, 0);
      if (options_.microdata) {
        sink.row.Number(id);
        sink.row.Number(holding);
        for (std::size_t d = 0; d < dimensions_.size(); ++d) sink.row.Text(dimensions_[d].codes[Index(codes[d])].name);
        sink.row.Number(static_cast<std::uint64_t>(amount));
        SLUIS_RETURN_IF_ERROR(sink.EndRow());
      }
      if (progress && (id + 1) % kProgressRecords == 0) progress(id + 1, options_.records);
    }
    if (progress) progress(options_.records, options_.records);
    return options_.microdata ? sink.Finish() : absl::OkStatus();
  }

  absl::Status WriteInner(int directory) {
    Sink sink;
    SLUIS_RETURN_IF_ERROR(Open(directory, "inner.csv", sink));
    DimensionNames(sink);
    sink.row.Text("n");
    sink.row.Text("value");
    SLUIS_RETURN_IF_ERROR(sink.EndRow());
    for (std::size_t i = 0; i < cells_.records.size(); ++i) {
      if (cells_.records[i] == 0) continue;
      CodeNames(i, sink);
      sink.row.Number(static_cast<std::uint64_t>(cells_.records[i]));
      sink.row.Number(static_cast<std::uint64_t>(cells_.value[i]));
      SLUIS_RETURN_IF_ERROR(sink.EndRow());
    }
    return sink.Finish();
  }

  // Adds every code to the one above it, the last first: its own cells are then complete.
  void RollUp() {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      const std::vector<GeneratedDimension::Code>& codes = dimensions_[d].codes;
      const std::int64_t stride = stride_[d];
      const std::int64_t block = stride * static_cast<std::int64_t>(codes.size());
      for (std::int64_t base = 0; base < static_cast<std::int64_t>(cells_.records.size()); base += block) {
        for (std::size_t c = codes.size(); c-- > 1;) {
          for (std::int64_t k = 0; k < stride; ++k) {
            const std::size_t from = Index(base + stride * static_cast<std::int64_t>(c) + k);
            const std::size_t to = Index(base + stride * codes[c].parent + k);
            cells_.Add(to, cells_.records[from], cells_.value[from], cells_.first[from], cells_.second[from]);
          }
        }
      }
    }
  }

  absl::Status WriteTable(int directory) {
    Sink sink;
    SLUIS_RETURN_IF_ERROR(Open(directory, "table.csv", sink));
    DimensionNames(sink);
    for (const char* name : {"n", "value", "top1", "top2", "primary", "lpl", "upl"}) sink.row.Text(name);
    SLUIS_RETURN_IF_ERROR(sink.EndRow());
    const std::int64_t p = options_.p_percent;
    for (std::size_t i = 0; i < cells_.records.size(); ++i) {
      const std::int64_t value = cells_.value[i];
      const std::int64_t rest = value - cells_.first[i] - cells_.second[i];
      const bool primary = cells_.records[i] > 0 && 100 * rest < p * cells_.first[i];
      const std::int64_t upper = primary ? std::max<std::int64_t>(1, (p * cells_.first[i] + 99) / 100 - rest) : 0;
      ++found_.cells;
      found_.sensitive += primary ? 1 : 0;
      found_.empty += cells_.records[i] == 0 ? 1 : 0;
      CodeNames(i, sink);
      for (const std::int64_t number : {std::int64_t{cells_.records[i]}, value, cells_.first[i], cells_.second[i],
                                        std::int64_t{primary}, std::min(upper, value), upper}) {
        sink.row.Number(static_cast<std::uint64_t>(number));
      }
      SLUIS_RETURN_IF_ERROR(sink.EndRow());
    }
    return sink.Finish();
  }

  absl::Status WriteHierarchy(int directory, std::size_t d) {
    Sink sink;
    SLUIS_RETURN_IF_ERROR(Open(directory, "hier_d" + std::to_string(d + 1) + ".csv", sink));
    for (const GeneratedDimension::Code& code : dimensions_[d].codes) {
      sink.bytes.append(Index(code.depth) + 1, '@');
      sink.bytes += ";" + code.name + "\n";
    }
    return sink.Finish();
  }

  const GenerateTableOptions& options_;
  const std::vector<GeneratedDimension> dimensions_;
  std::vector<std::int64_t> stride_;
  std::vector<std::vector<std::int32_t>> leaf_code_;  // per dimension and leaf
  Cells cells_;
  GeneratedTable found_;
  std::vector<std::unique_ptr<OutputFile>> files_;
};

absl::Status CheckNoneExists(const GenerateTableOptions& options, std::size_t dimensions) {
  std::vector<std::string> names = {"micro.csv", "inner.csv", "table.csv"};
  for (std::size_t d = 1; d <= dimensions; ++d) names.push_back("hier_d" + std::to_string(d) + ".csv");
  for (const std::string& name : names) {
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::path(options.output_directory) / name, error)) {
      return absl::AlreadyExistsError("there is a " + name +
                                      " in the output directory already: choose another directory or ask to overwrite");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GeneratedTable> GenerateTable(const GenerateTableOptions& options,
                                             const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  if (options.records == 0 || options.records > kMaxRecords) {
    return absl::InvalidArgumentError("records must be 1 to 1000000000");
  }
  if (options.skew_percent > 300) return absl::InvalidArgumentError("skew must be 0 to 300 percent");
  if (options.p_percent == 0 || options.p_percent > 100)
    return absl::InvalidArgumentError("p must be 1 to 100 percent");
  SLUIS_ASSIGN_OR_RETURN(std::vector<GeneratedDimension> dimensions, ParseTableShape(options.shape));
  std::int64_t cells = 1;
  for (const GeneratedDimension& dimension : dimensions) {
    cells *= static_cast<std::int64_t>(dimension.codes.size());
    if (cells > kMaxCells) return absl::InvalidArgumentError("shape: more than 100000000 cells");
  }
  if (!options.overwrite) SLUIS_RETURN_IF_ERROR(CheckNoneExists(options, dimensions.size()));
  const int directory = open(options.output_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return common::FileError(errno, "open", options.output_directory);
  auto result = TableMaker(options, std::move(dimensions), cells).Write(directory, progress);
  close(directory);
  return result;
}

}  // namespace sluis::cli
