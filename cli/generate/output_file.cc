#include "cli/generate/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr int kGzipLevel = 1;
constexpr int kZstdLevel = 1;

absl::Status CompressorError(const std::string& name) {
  return absl::InternalError("cannot write " + name + ": the compression library reports a fault");
}

}  // namespace

struct OutputFile::State {
  int fd = -1;
  bool exists = false;  // under the temporary name
  std::string buffer;   // bytes of the file not yet written
  common::Sha256Hasher hasher;
  common::Sha256Hasher content_hasher;
  z_stream gzip{};
  bool gzip_open = false;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{nullptr, &ZSTD_freeCCtx};
  std::string compressed;

  ~State() {
    if (gzip_open) {
      deflateEnd(&gzip);
    }
    if (fd >= 0) {
      close(fd);
    }
  }
};

OutputFile::OutputFile(int directory_fd, std::string name, Compression compression)
    : directory_fd_(directory_fd),
      name_(std::move(name)),
      temporary_("." + name_ + ".tmp-" + std::to_string(getpid())),
      compression_(compression),
      state_(std::make_unique<State>()) {}

OutputFile::~OutputFile() {
  if (state_->exists) {
    unlinkat(directory_fd_, temporary_.c_str(), 0);
  }
}

absl::Status OutputFile::Open() {
  State& state = *state_;
  state.fd = openat(directory_fd_, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (state.fd < 0) {
    return common::FileError(errno, "create", name_);
  }
  state.exists = true;
  state.buffer.reserve(kBufferBytes);
  state.compressed.resize(kBufferBytes);
  if (compression_ == Compression::kGzip) {
    // 15 + 16: a window of 32 KiB and a gzip header, which deflateInit2 writes without time and name.
    if (deflateInit2(&state.gzip, kGzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      return CompressorError(name_);
    }
    state.gzip_open = true;
  } else if (compression_ == Compression::kZstd) {
    state.zstd.reset(ZSTD_createCCtx());
    if (state.zstd == nullptr ||
        ZSTD_isError(ZSTD_CCtx_setParameter(state.zstd.get(), ZSTD_c_compressionLevel, kZstdLevel)) != 0 ||
        ZSTD_isError(ZSTD_CCtx_setParameter(state.zstd.get(), ZSTD_c_checksumFlag, 1)) != 0) {
      return CompressorError(name_);
    }
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Append(std::string_view content) {
  written_.content_bytes += content.size();
  state_->content_hasher.Update(content);
  return compression_ == Compression::kNone ? Put(content) : Compress(content, false);
}

absl::Status OutputFile::Compress(std::string_view content, bool last) {
  State& state = *state_;
  if (compression_ == Compression::kGzip) {
    state.gzip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    state.gzip.avail_in = static_cast<uInt>(content.size());
    int result = Z_OK;
    do {
      state.gzip.next_out = reinterpret_cast<Bytef*>(state.compressed.data());
      state.gzip.avail_out = static_cast<uInt>(state.compressed.size());
      result = deflate(&state.gzip, last ? Z_FINISH : Z_NO_FLUSH);
      if (result == Z_STREAM_ERROR) {
        return CompressorError(name_);
      }
      SLUIS_RETURN_IF_ERROR(Put({state.compressed.data(), state.compressed.size() - state.gzip.avail_out}));
    } while (state.gzip.avail_out == 0 || (last && result != Z_STREAM_END));
    return absl::OkStatus();
  }
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  bool more = true;
  while (more) {
    ZSTD_outBuffer out{state.compressed.data(), state.compressed.size(), 0};
    const std::size_t left = ZSTD_compressStream2(state.zstd.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) {
      return CompressorError(name_);
    }
    SLUIS_RETURN_IF_ERROR(Put({state.compressed.data(), out.pos}));
    more = last ? left != 0 : in.pos < in.size;
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Put(std::string_view bytes) {
  written_.bytes += bytes.size();
  state_->hasher.Update(bytes);
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), kBufferBytes - state_->buffer.size());
    state_->buffer.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (state_->buffer.size() == kBufferBytes) {
      SLUIS_RETURN_IF_ERROR(Flush());
    }
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Flush() {
  std::string_view rest = state_->buffer;
  while (!rest.empty()) {
    const ssize_t count = write(state_->fd, rest.data(), rest.size());
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return common::FileError(errno, "write", name_);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  state_->buffer.clear();
  return absl::OkStatus();
}

absl::Status OutputFile::Finish() {
  if (compression_ != Compression::kNone) {
    SLUIS_RETURN_IF_ERROR(Compress({}, true));
  }
  SLUIS_RETURN_IF_ERROR(Flush());
  if (fsync(state_->fd) != 0) {
    return common::FileError(errno, "sync", name_);
  }
  const int fd = std::exchange(state_->fd, -1);
  if (close(fd) != 0) {
    return common::FileError(errno, "close", name_);
  }
  written_.sha256 = state_->hasher.Finish();
  written_.content_sha256 = state_->content_hasher.Finish();
  return absl::OkStatus();
}

absl::Status OutputFile::Publish() {
  if (renameat(directory_fd_, temporary_.c_str(), directory_fd_, name_.c_str()) != 0) {
    return common::FileError(errno, "rename a finished file to", name_);
  }
  state_->exists = false;
  return absl::OkStatus();
}

}  // namespace sluis::cli
