#include "common/spill/record_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::common {
namespace {

constexpr std::string_view kMagic = "SLUISREC";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kFileIdBytes = 16;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kHeaderBytes = 8 + 4 + kFileIdBytes;

std::string MakeAssociatedData(std::string_view context, std::string_view file_id) {
  std::string out = "sluis-record-stream-v1";
  AppendBigEndian64(out, context.size());
  out.append(context).append(file_id);
  return out;
}

std::string ForBlock(const std::string& associated_data, std::uint64_t block, bool last) {
  std::string out = associated_data;
  AppendBigEndian64(out, block);
  out.push_back(last ? 1 : 0);
  return out;
}

}  // namespace

RecordWriter::RecordWriter(int fd, std::string path, const SecretBytes& key, const RecordStreamOptions& options,
                           std::string file_id)
    : fd_(fd),
      path_(std::move(path)),
      key_(key),
      block_bytes_(options.block_bytes),
      associated_data_(MakeAssociatedData(options.context, file_id)) {}

RecordWriter::~RecordWriter() {
  Wipe(buffer_);
  close(fd_);
}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(const std::string& path, const SecretBytes& key,
                                                                   const RecordStreamOptions& options) {
  const int fd = openat(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) {
      return absl::FailedPreconditionError("cannot create " + path + ": it exists already");
    }
    return FileError(errno, "create", path);
  }
  const std::string file_id = RandomString(kFileIdBytes);
  std::unique_ptr<RecordWriter> writer(new RecordWriter(fd, path, key, options, file_id));
  std::string header(kMagic);
  AppendBigEndian32(header, kFormatVersion);
  header += file_id;
  SLUIS_RETURN_IF_ERROR(writer->WriteAll(header));
  return writer;
}

absl::Status RecordWriter::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return FileError(errno, "write", path_);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status RecordWriter::WriteBlock(bool last) {
  const std::string sealed = AeadSeal(key_, ForBlock(associated_data_, block_, last), buffer_);
  Wipe(buffer_);
  buffer_.clear();
  ++block_;
  std::string framed;
  framed.reserve(kLengthBytes + sealed.size());
  AppendBigEndian32(framed, static_cast<std::uint32_t>(sealed.size()));
  framed += sealed;
  return WriteAll(framed);
}

absl::Status RecordWriter::Append(std::string_view record) {
  if (record.size() > kMaxRecordBytes) {
    return absl::InvalidArgumentError("a record for " + path_ + " is longer than " + std::to_string(kMaxRecordBytes) +
                                      " bytes");
  }
  // Growing by steps would leave copies of the plaintext in freed memory.
  if (const std::size_t needed = buffer_.size() + kLengthBytes + record.size(); needed > buffer_.capacity()) {
    std::string larger;
    larger.reserve(std::max(needed, block_bytes_ + 1024));
    larger = buffer_;
    Wipe(buffer_);
    buffer_.swap(larger);
  }
  AppendBigEndian32(buffer_, static_cast<std::uint32_t>(record.size()));
  buffer_ += record;
  ++records_;
  return buffer_.size() >= block_bytes_ ? WriteBlock(/*last=*/false) : absl::OkStatus();
}

absl::Status RecordWriter::Finish(bool sync) {
  SLUIS_RETURN_IF_ERROR(WriteBlock(/*last=*/true));
  if (sync && fsync(fd_) != 0) {
    return FileError(errno, "sync", path_);
  }
  return absl::OkStatus();
}

RecordReader::RecordReader(int fd, std::string path, const SecretBytes& key, const RecordStreamOptions& options,
                           std::string_view file_id)
    : fd_(fd),
      path_(std::move(path)),
      key_(key),
      max_sealed_bytes_(options.block_bytes + kMaxRecordBytes + kLengthBytes + kAeadOverhead),
      associated_data_(MakeAssociatedData(options.context, file_id)) {}

RecordReader::~RecordReader() {
  Wipe(plaintext_);
  close(fd_);
}

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(const std::string& path, const SecretBytes& key,
                                                                 const RecordStreamOptions& options) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return FileError(errno, "open", path);
  }
  std::unique_ptr<RecordReader> reader(new RecordReader(fd, path, key, options, {}));
  SLUIS_ASSIGN_OR_RETURN(const std::string header, reader->ReadUpTo(kHeaderBytes));
  if (header.size() != kHeaderBytes || !header.starts_with(kMagic)) {
    return reader->Damaged();
  }
  if (ReadBigEndian32(std::string_view(header).substr(kMagic.size())) != kFormatVersion) {
    return absl::FailedPreconditionError("cannot read " + path + ": it has another format version than this program");
  }
  reader->associated_data_ =
      MakeAssociatedData(options.context, std::string_view(header).substr(kHeaderBytes - kFileIdBytes));
  return reader;
}

absl::Status RecordReader::Damaged() const {
  return absl::DataLossError("cannot read " + path_ + ": it is incomplete, damaged, or was written under another key");
}

absl::StatusOr<std::string> RecordReader::ReadUpTo(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = read(fd_, bytes.data() + have, size - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return FileError(errno, "read", path_);
    }
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

absl::Status RecordReader::ReadBlock() {
  SLUIS_ASSIGN_OR_RETURN(const std::string length, ReadUpTo(kLengthBytes));
  if (length.size() != kLengthBytes || ReadBigEndian32(length) > max_sealed_bytes_) {
    return Damaged();
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string sealed, ReadUpTo(ReadBigEndian32(length)));
  if (sealed.size() != ReadBigEndian32(length)) {
    return Damaged();
  }
  Wipe(plaintext_);
  position_ = 0;
  absl::StatusOr<std::string> opened = AeadOpen(key_, ForBlock(associated_data_, block_, /*last=*/false), sealed);
  if (!opened.ok()) {
    opened = AeadOpen(key_, ForBlock(associated_data_, block_, /*last=*/true), sealed);
    last_ = true;
  }
  if (!opened.ok()) {
    return Damaged();
  }
  if (last_) {
    SLUIS_ASSIGN_OR_RETURN(const std::string more, ReadUpTo(1));
    if (!more.empty()) {
      return Damaged();
    }
  }
  plaintext_ = *std::move(opened);
  ++block_;
  return absl::OkStatus();
}

absl::StatusOr<bool> RecordReader::Next(std::string_view& record) {
  while (position_ == plaintext_.size()) {
    if (last_) {
      return false;
    }
    SLUIS_RETURN_IF_ERROR(ReadBlock());
  }
  const std::string_view rest = std::string_view(plaintext_).substr(position_);
  if (rest.size() < kLengthBytes || ReadBigEndian32(rest) > rest.size() - kLengthBytes) {
    return Damaged();
  }
  record = rest.substr(kLengthBytes, ReadBigEndian32(rest));
  position_ += kLengthBytes + record.size();
  return true;
}

absl::Status PublishFile(const std::string& from, const std::string& to) {
  const std::size_t slash = to.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : to.substr(0, slash + 1);
  if (renameat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str()) != 0) {
    return FileError(errno, "rename the new file to", to);
  }
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return FileError(errno, "open the directory of", to);
  }
  const int synced = fsync(fd);
  const int error = errno;
  close(fd);
  return synced == 0 ? absl::OkStatus() : FileError(error, "sync the directory of", to);
}

}  // namespace sluis::common
