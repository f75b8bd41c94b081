#include "common/csv/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::size_t kInputBytes = 64 << 10;
constexpr int kZstdWindowLog = 27;
constexpr std::string_view kGzipMagic("\x1f\x8b", 2);
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);

absl::Status Truncated() {
  return WithReason(
      absl::DataLossError("the compressed file ends early: it was not copied whole; copy or compress it again"),
      "FILE_TRUNCATED");
}
absl::Status Damaged(const char* kind) {
  return WithReason(
      absl::DataLossError(std::string("the file is not valid ") + kind + ", or is damaged: copy or compress it again"),
      "FILE_COMPRESSION");
}

class PlainFile : public ByteSource {
 public:
  PlainFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PlainFile() override { close(descriptor_); }
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    for (;;) {
      const ssize_t count = read(descriptor_, out.data(), out.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return FileError(errno, "read", path_);
    }
  }

 private:
  int descriptor_;
  std::string path_;
};

class MemoryBytes : public ByteSource {
 public:
  explicit MemoryBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size() - position_);
    std::memcpy(out.data(), bytes_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t position_ = 0;
};

// Gives back the bytes that were read to recognise the format, then the rest.
class Prefixed : public ByteSource {
 public:
  Prefixed(std::string prefix, std::unique_ptr<ByteSource> rest) : prefix_(std::move(prefix)), rest_(std::move(rest)) {}
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    if (position_ == prefix_.size()) return rest_->Read(out);
    const std::size_t count = std::min(out.size(), prefix_.size() - position_);
    std::memcpy(out.data(), prefix_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string prefix_;
  std::unique_ptr<ByteSource> rest_;
  std::size_t position_ = 0;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> input) : input_(std::move(input)) {
    stream_.zalloc = nullptr;
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;  // 16: gzip framing only
  }
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    if (!ready_) return absl::ResourceExhaustedError("not enough memory to decompress the file");
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1u << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        SLUIS_ASSIGN_OR_RETURN(const std::size_t count, input_->Read(buffer_));
        if (count == 0) {
          if (!between_members_) return Truncated();
          return 0;
        }
        stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        stream_.avail_in = static_cast<uInt>(count);
      }
      between_members_ = false;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        between_members_ = true;
        if (inflateReset(&stream_) != Z_OK) return Damaged("gzip");
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return Damaged("gzip");
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  std::unique_ptr<ByteSource> input_;
  std::array<char, kInputBytes> buffer_;
  z_stream stream_{};
  bool ready_ = false;
  bool between_members_ = false;
};

class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> input) : input_(std::move(input)), stream_(ZSTD_createDStream()) {
    ready_ = stream_ != nullptr && ZSTD_isError(ZSTD_initDStream(stream_)) == 0 &&
             ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLog)) == 0;
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  absl::StatusOr<std::size_t> Read(std::span<char> out) override {
    if (!ready_) return absl::ResourceExhaustedError("not enough memory to decompress the file");
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0) {
      if (block_.pos == block_.size && !output_pending_) {
        SLUIS_ASSIGN_OR_RETURN(const std::size_t count, input_->Read(buffer_));
        if (count == 0) {
          if (!between_frames_) return Truncated();
          return 0;
        }
        block_ = {buffer_.data(), count, 0};
      }
      const std::size_t hint = ZSTD_decompressStream(stream_, &output, &block_);
      if (ZSTD_isError(hint) != 0) return Damaged("Zstandard with a window of at most 128 MiB");
      between_frames_ = hint == 0;
      output_pending_ = !between_frames_ && output.pos == output.size;
    }
    return output.pos;
  }

 private:
  std::unique_ptr<ByteSource> input_;
  std::array<char, kInputBytes> buffer_;
  ZSTD_DStream* stream_;
  ZSTD_inBuffer block_{nullptr, 0, 0};
  bool ready_ = false;
  bool between_frames_ = false;
  bool output_pending_ = false;  // the decompressor may hold output although its input is used up
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FileError(errno, "open", path);
  auto file = std::make_unique<PlainFile>(descriptor, path);
  struct stat info {};
  if (fstat(descriptor, &info) != 0) return FileError(errno, "inspect", path);
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError("cannot read " + path + ": not a regular file");

  std::string head(kZstdMagic.size(), '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    SLUIS_ASSIGN_OR_RETURN(const std::size_t count, file->Read(std::span(head).subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  head.resize(filled);
  const bool gzip = head.starts_with(kGzipMagic);
  const bool zstd = head.starts_with(kZstdMagic);
  if (!gzip && path.ends_with(".gz")) return Annotate(Damaged("gzip"), path);
  if (!zstd && path.ends_with(".zst")) return Annotate(Damaged("Zstandard"), path);
  std::unique_ptr<ByteSource> whole = std::make_unique<Prefixed>(std::move(head), std::move(file));
  if (gzip) return std::make_unique<GzipSource>(std::move(whole));
  if (zstd) return std::make_unique<ZstdSource>(std::move(whole));
  return whole;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_mebibytes) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, OpenFileSource(path));
  std::string text;
  std::string block(kInputBytes, '\0');
  for (;;) {
    const absl::StatusOr<std::size_t> count = bytes->Read(block);
    if (!count.ok()) return Annotate(count.status(), path);
    if (*count == 0) return text;
    if (text.size() + *count > max_mebibytes << 20) {
      return absl::InvalidArgumentError(path + ": larger than " + std::to_string(max_mebibytes) + " MiB");
    }
    text.append(block, 0, *count);
  }
}

std::unique_ptr<ByteSource> MakeMemorySource(std::string bytes) {
  const bool gzip = bytes.starts_with(kGzipMagic);
  const bool zstd = bytes.starts_with(kZstdMagic);
  auto memory = std::make_unique<MemoryBytes>(std::move(bytes));
  if (gzip) return std::make_unique<GzipSource>(std::move(memory));
  if (zstd) return std::make_unique<ZstdSource>(std::move(memory));
  return memory;
}

}  // namespace sluis::common
