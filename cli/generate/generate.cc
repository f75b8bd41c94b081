#include "cli/generate/generate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/generate/block_queue.h"
#include "cli/generate/names.h"
#include "cli/generate/output_file.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::string_view kTruthFile = "truth.csv";
constexpr std::string_view kManifestFile = "manifest.json";
constexpr unsigned kMaxThreads = 256;

class DirectoryHandle {
 public:
  explicit DirectoryHandle(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~DirectoryHandle() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  DirectoryHandle(const DirectoryHandle&) = delete;
  DirectoryHandle& operator=(const DirectoryHandle&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::optional<DayNumber> ParseReferenceDate(std::string_view text) {
  using namespace std::chrono;
  const auto number = [&](std::size_t from, std::size_t size) {
    int value = -1;
    const char* end = text.data() + from + size;
    return std::from_chars(text.data() + from, end, value).ptr == end ? value : -1;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return std::nullopt;
  }
  const int year_number = number(0, 4);
  const int month_number = number(5, 2);
  const int day_number = number(8, 2);
  if (year_number < 1950 || year_number > 2099 || month_number < 1 || day_number < 1) {
    return std::nullopt;
  }
  const year_month_day date = year{year_number} / month_number / day_number;
  if (!date.ok()) {
    return std::nullopt;
  }
  return static_cast<DayNumber>(sys_days{date}.time_since_epoch().count());
}

std::string Hex(const common::Hash256& hash) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

void AppendNumber(std::int64_t number, std::string& to) {
  char text[20];
  to.append(text, std::to_chars(text, text + sizeof(text), number).ptr);
}

absl::Status CheckNoneExist(int directory) {
  const auto check = [&](std::string_view name) {
    struct stat info {};
    const std::string file(name);
    if (fstatat(directory, file.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      return absl::AlreadyExistsError("there is a " + file +
                                      " in the output directory already: choose another directory or ask to overwrite");
    }
    return errno == ENOENT ? absl::OkStatus() : common::FileError(errno, "inspect", file);
  };
  for (const RegisterFile& of_register : RegisterFiles()) {
    SLUIS_RETURN_IF_ERROR(check(of_register.file));
  }
  SLUIS_RETURN_IF_ERROR(check(kTruthFile));
  return check(kManifestFile);
}

// The files of one run.
class CountryWriter {
 public:
  explicit CountryWriter(int directory) : directory_(directory) {
    for (const RegisterFile& of_register : RegisterFiles()) {
      files_.push_back(std::make_unique<OutputFile>(directory, std::string(of_register.file), of_register.compression));
    }
    files_.push_back(std::make_unique<OutputFile>(directory, std::string(kTruthFile), Compression::kNone));
  }

  absl::Status Open() {
    for (const auto& file : files_) {
      SLUIS_RETURN_IF_ERROR(file->Open());
    }
    for (std::size_t id = 0; id < kRegisters; ++id) {
      SLUIS_RETURN_IF_ERROR(files_[id]->Append(RegisterFiles()[id].header));
    }
    return files_.back()->Append("register,row,person\n");
  }

  absl::Status Append(const BlockRegisters& rows) {
    truth_.clear();
    for (std::size_t id = 0; id < kRegisters; ++id) {
      SLUIS_RETURN_IF_ERROR(files_[id]->Append(rows[id].bytes));
      for (const std::int64_t person : rows[id].persons) {
        truth_.append(RegisterFiles()[id].name);
        truth_.push_back(',');
        AppendNumber(static_cast<std::int64_t>(++rows_[id]), truth_);
        truth_.push_back(',');
        AppendNumber(person, truth_);
        truth_.push_back('\n');
        ++rows_[kRegisters];
      }
    }
    return files_.back()->Append(truth_);
  }

  absl::Status Finish() {
    for (const auto& file : files_) {
      SLUIS_RETURN_IF_ERROR(file->Finish());
    }
    return absl::OkStatus();
  }

  absl::Status Publish() {
    // An older manifest must not vouch for files that are being replaced.
    if (unlinkat(directory_, std::string(kManifestFile).c_str(), 0) != 0 && errno != ENOENT) {
      return common::FileError(errno, "remove", kManifestFile);
    }
    for (const auto& file : files_) {
      SLUIS_RETURN_IF_ERROR(file->Publish());
    }
    return absl::OkStatus();
  }

  std::string Manifest(const GenerateOptions& options) const {
    nlohmann::ordered_json manifest;
    manifest["format"] = "sluis-synthetic-country-1";
    manifest["persons"] = options.persons;
    manifest["seed"] = options.seed;
    manifest["reference_date"] = options.reference_date;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const WrittenFile& written = files_[i]->written();
      manifest["files"].push_back(nlohmann::ordered_json{
          {"name", std::string(i < kRegisters ? RegisterFiles()[i].file : kTruthFile)},
          {"rows", rows_[i]},
          {"bytes", written.bytes},
          {"sha256", Hex(written.sha256)},
          {"content_bytes", written.content_bytes},
          {"content_sha256", Hex(written.content_sha256)},
      });
    }
    return manifest.dump(2) + "\n";
  }

 private:
  int directory_;
  std::vector<std::unique_ptr<OutputFile>> files_;  // by RegisterId; then the truth
  std::array<std::uint64_t, kRegisters + 1> rows_{};
  std::string truth_;
};

}  // namespace

absl::Status GenerateCountry(const GenerateOptions& options, const GenerateProgress& progress) {
  if (options.persons == 0 || options.persons > kMaxPersons) {
    return absl::InvalidArgumentError("persons must be 1 to " + std::to_string(kMaxPersons));
  }
  if (options.threads > kMaxThreads) {
    return absl::InvalidArgumentError("threads must be 0 to " + std::to_string(kMaxThreads));
  }
  const std::optional<DayNumber> reference_day = ParseReferenceDate(options.reference_date);
  if (!reference_day.has_value()) {
    return absl::InvalidArgumentError("reference_date must be a day written yyyy-mm-dd, 1950-01-01 to 2099-12-31");
  }
  const DirectoryHandle directory(options.output_directory);
  if (directory.fd() < 0) {
    return errno == ENOENT || errno == ENOTDIR
               ? absl::InvalidArgumentError("output_directory is not a directory: create it first")
               : common::FileError(errno, "open", options.output_directory);
  }
  if (!options.overwrite) {
    SLUIS_RETURN_IF_ERROR(CheckNoneExist(directory.fd()));
  }
  const CountrySeed country{options.seed, options.persons, *reference_day};
  CountryWriter writer(directory.fd());
  SLUIS_RETURN_IF_ERROR(writer.Open());

  const std::uint64_t blocks = (options.persons + kBlockPersons - 1) / kBlockPersons;
  const unsigned threads = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  BlockQueue queue(country, blocks, std::min(threads, kMaxThreads));
  SLUIS_RETURN_IF_ERROR(queue.Start());
  BlockRegisters rows;
  for (std::uint64_t block = 0; block < blocks; ++block) {
    queue.Take(rows);
    SLUIS_RETURN_IF_ERROR(writer.Append(rows));
    if (progress) {
      progress(std::min(options.persons, (block + 1) * kBlockPersons), options.persons);
    }
  }
  SLUIS_RETURN_IF_ERROR(writer.Finish());
  SLUIS_RETURN_IF_ERROR(writer.Publish());
  // Also syncs the directory, and with it the names of the other files.
  return common::WriteFileAtomically(options.output_directory + "/" + std::string(kManifestFile),
                                     writer.Manifest(options), 0600);
}

}  // namespace sluis::cli
