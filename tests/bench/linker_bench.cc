// The linker's core on RocksDB: storing prepared chunks, and exact linkage of 1 million persons with 3 satellites of 1
// million records. Each is compared with its floor, timed in the same run:
//   AppendChunk   the cryptography alone: SHA-256 of the chunk, an HMAC for each pseudonym, sealing of the three
//   columns LinkProject   reading and opening all sealed tokens once

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "linker/store/link_project.h"
#include "tests/bench/bench.h"

namespace sluis::linker {
namespace {

using bench::Require;

constexpr std::uint64_t kSeed = 20250101;
constexpr std::uint64_t kRecords = 1'000'000;  // of each register
constexpr std::uint32_t kChunkRecords = 2048;
constexpr std::uint32_t kRowBytes = 96;
constexpr std::uint32_t kSyncEveryChunks = 16;  // 32,768 records
constexpr std::int64_t kNow = 1'700'000'000;

void Require(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
}

// Wall time, and CPU time of the whole process, RocksDB's threads included: on a machine that is busy with other things
// only the second means much.
struct Stopwatch {
  double wall = 0, cpu = 0;

  static Stopwatch Now() {
    timespec cpu{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return {std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(),
            static_cast<double>(cpu.tv_sec) + 1e-9 * static_cast<double>(cpu.tv_nsec)};
  }
  void AddSince(const Stopwatch& begin) {
    const Stopwatch now = Now();
    wall += now.wall - begin.wall;
    cpu += now.cpu - begin.cpu;
  }
};

std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

const common::SigningKey& BenchCustodianKey() {
  static const common::SigningKey key = common::SigningKey::Generate();
  return key;
}

common::Permit BenchPermit() {
  common::Permit permit;
  permit.id = "bench";
  permit.sha256 = common::Sha256("permit");
  permit.max_link_sets = 1000;
  for (const char* name : {"bsn", "birth_sex_name_postcode", "birth_sex_name"}) {
    permit.match_keys.push_back({.name = name, .purpose = "identifiers", .components = {}});
  }
  for (const char* name : {"persons", "jobs", "benefits", "education"}) {
    common::PermitRegister& added = permit.registers.emplace_back();
    added.name = name;
    added.backbone = added.name == "persons";
    added.many_per_person = added.name == "jobs";
    added.schema = name;
    added.max_records = 2 * kRecords;
    added.custodian_key = BenchCustodianKey().public_key;
    for (const common::MatchKey& key : permit.match_keys) {
      added.match_keys.push_back(key.name);
    }
    permit.attachments.push_back({name, common::Sha256(name)});
  }
  return permit;
}

// Of each 100 keys of a satellite 5 are missing and 4 mistyped; on the backbone all are there, and one in 50 people
// shares birth date, sex and name with another.
std::string Pseudonym(std::size_t register_number, std::uint64_t record, std::size_t key) {
  const std::uint64_t draw = Mix(kSeed ^ Mix(register_number << 40 | record));
  std::uint64_t value = register_number == 0 ? record : draw % kRecords;
  if (key == 2 && value % 50 == 0) {
    value /= 2;
  }
  const std::uint64_t error = Mix(draw + key) % 100;
  if (register_number != 0 && error < 5) {
    return std::string(kPseudonymBytes, '\0');
  }
  value = Mix(value << 2 | key) + (register_number != 0 && error < 9 ? draw : 0);
  std::string pseudonym;
  for (int word = 0; word < 4; ++word) {
    common::AppendBigEndian64(pseudonym, Mix(value + static_cast<std::uint64_t>(word)));
  }
  return pseudonym;
}

struct PreparedChunk {
  std::string pseudonyms, rows;
  common::Hash256 digest{};
  std::uint32_t records = 0;
  Chunk View() const { return {records, pseudonyms, rows}; }
};

struct Prepared {
  DeliveryHeader header;
  std::vector<PreparedChunk> chunks;
  common::Hash256 digest{};
};

Prepared Prepare(std::size_t register_number) {
  const common::Permit permit = BenchPermit();
  const common::PermitRegister& named = permit.registers[register_number];
  Prepared prepared;
  prepared.header = {.delivery_id = "d-1",
                     .replaces = "",
                     .permit_id = permit.id,
                     .permit_sha256 = permit.sha256,
                     .register_name = named.name,
                     .records = kRecords,
                     .match_keys = named.match_keys,
                     .row_bytes = kRowBytes,
                     .sealed_data_key = "sealed",
                     .schema_sha256 = common::Sha256(named.name),
                     .manifest_sha256 = {},
                     .signature = ""};
  prepared.header.signature = common::SignDelivery(StatementOf(prepared.header), BenchCustodianKey());
  std::vector<common::Hash256> digests;
  for (std::uint64_t record = 0; record < kRecords;) {
    PreparedChunk& chunk = prepared.chunks.emplace_back();
    for (; chunk.records < kChunkRecords && record < kRecords; ++record, ++chunk.records) {
      for (std::size_t key = 0; key < named.match_keys.size(); ++key) {
        chunk.pseudonyms += Pseudonym(register_number, record, key);
      }
    }
    chunk.rows = common::RandomString(std::size_t{chunk.records} * kRowBytes);
    chunk.digest = ChunkDigest(static_cast<std::uint32_t>(prepared.chunks.size() - 1), chunk.View());
    digests.push_back(chunk.digest);
  }
  prepared.digest = DeliveryDigest(HeaderDigest(prepared.header), digests);
  return prepared;
}

// A store on disk that goes with the object.
class Scratch {
 public:
  Scratch() {
    std::string path = std::filesystem::temp_directory_path().string() + "/linker_bench_XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      Require(absl::UnavailableError("cannot make a directory for temporary files"));
    }
    directory_ = path;
    common::RocksDbOptions options;
    options.families = RecordStore::Families();
    options.format_version = RecordStore::kFormatVersion;
    store_ = Require(common::OpenRocksDb(directory_, options));
    records_ =
        std::make_unique<RecordStore>(*store_, BenchPermit().id, common::SecretBytes::CopyOf(common::Sha256("key")));
  }
  ~Scratch() {
    records_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  RecordStore& records() { return *records_; }

 private:
  std::string directory_;
  std::unique_ptr<common::Store> store_;
  std::unique_ptr<RecordStore> records_;
};

void Upload(RecordStore& records, const Prepared& prepared) {
  Require(records.BeginUpload(prepared.header, BenchPermit(), kNow).status());
  const DeliveryName name{prepared.header.register_name, prepared.header.delivery_id};
  for (std::uint32_t number = 0; number < prepared.chunks.size(); ++number) {
    const PreparedChunk& chunk = prepared.chunks[number];
    const bool sync = number % kSyncEveryChunks == kSyncEveryChunks - 1;
    Require(records
                .AppendChunk(name, number, chunk.digest, chunk.View(), kNow,
                             sync ? Durability::kSynced : Durability::kDeferred)
                .status());
  }
  PreparedDelivery commit = Require(records.PrepareCommit(name, kRecords, prepared.digest, kNow));
  Require(records.Finish(std::move(commit.change)));
}

// The floor of AppendChunk for all chunks.
void ComputeFloor(const Prepared& prepared) {
  const common::SecretBytes key = common::SecretBytes::Random(32);
  const common::HmacSha256 join(key);
  for (std::uint32_t number = 0; number < prepared.chunks.size(); ++number) {
    const PreparedChunk& chunk = prepared.chunks[number];
    benchmark::DoNotOptimize(ChunkDigest(number, chunk.View()));
    std::string tokens;
    for (std::size_t i = 0; i < chunk.pseudonyms.size(); i += kPseudonymBytes) {
      const std::string& name = prepared.header.match_keys[i / kPseudonymBytes % prepared.header.match_keys.size()];
      tokens.append(common::AsChars(join.Compute(name, std::string_view(chunk.pseudonyms).substr(i, kPseudonymBytes))),
                    0, sizeof(Token));
    }
    for (const std::string_view column :
         {std::string_view(tokens), std::string_view(chunk.pseudonyms), std::string_view(chunk.rows)}) {
      benchmark::DoNotOptimize(common::AeadSeal(key, "place", column));
    }
  }
}

void BM_AppendChunk(benchmark::State& state) {
  const Prepared prepared = Prepare(1);
  Stopwatch real, floor;
  for (auto _ : state) {
    state.PauseTiming();
    Stopwatch begin = Stopwatch::Now();
    ComputeFloor(prepared);
    floor.AddSince(begin);
    auto scratch = std::make_unique<Scratch>();
    state.ResumeTiming();
    begin = Stopwatch::Now();
    Upload(scratch->records(), prepared);
    real.AddSince(begin);
    state.PauseTiming();
    scratch.reset();
    state.ResumeTiming();
  }
  const auto records = static_cast<double>(kRecords) * static_cast<double>(state.iterations());
  state.counters["records/s"] = records / real.wall;
  state.counters["records/cpu_s"] = records / real.cpu;
  state.counters["floor_records/cpu_s"] = records / floor.cpu;
  state.counters["of_floor"] = floor.cpu / real.cpu;
}
BENCHMARK(BM_AppendChunk)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(2);

void BM_LinkProject(benchmark::State& state) {
  static Scratch* const scratch = [] {
    static Scratch filled;
    for (std::size_t number = 0; number < BenchPermit().registers.size(); ++number) {
      Upload(filled.records(), Prepare(number));
    }
    return &filled;
  }();
  RecordStore& records = scratch->records();
  LinkOptions options;
  options.memory_bytes = static_cast<std::uint64_t>(state.range(0)) << 20;
  Stopwatch real, floor;
  std::uint64_t links = 0, scanned = 0;
  options.progress = [&](std::uint64_t, std::uint64_t total) { scanned = total; };
  for (auto _ : state) {
    state.PauseTiming();
    Stopwatch begin = Stopwatch::Now();
    for (const common::PermitRegister& named : BenchPermit().registers) {
      const DeliveryRecord delivery = *Require(records.reader().Current(named.name));
      std::uint64_t absent = 0;
      Require(records.reader().ScanTokens(delivery, [&](const TokenChunk& chunk) {
        for (const Token& token : chunk.tokens) {
          absent += token.absent() ? 1 : 0;
        }
        return absl::OkStatus();
      }));
      benchmark::DoNotOptimize(absent);
    }
    floor.AddSince(begin);
    state.ResumeTiming();
    begin = Stopwatch::Now();
    const PreparedLinkSet linked =
        Require(LinkProject(records, BenchPermit(), common::SecretBytes::Random(32), options, kNow));
    // Dropped: once finished, the same deliveries would not be linked again.
    real.AddSince(begin);
    links = 0;
    for (const LinkageReport& report : linked.header.reports) {
      links += report.records - report.unlinked_records;
    }
  }
  state.counters["linked"] = static_cast<double>(links);
  state.counters["records_scanned"] = static_cast<double>(scanned);
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["cpu_s"] = real.cpu / iterations;
  state.counters["floor_cpu_s"] = floor.cpu / iterations;
  state.counters["times_floor"] = real.cpu / floor.cpu;
}
BENCHMARK(BM_LinkProject)
    ->ArgName("memory_MiB")
    ->Arg(512)
    ->Arg(64)
    ->Unit(benchmark::kSecond)
    ->UseRealTime()
    ->Iterations(2);

std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

}  // namespace
}  // namespace sluis::linker

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::AddCustomContext("cpu_model", sluis::linker::CpuModel());
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("seed", std::to_string(sluis::linker::kSeed));
  benchmark::AddCustomContext("registers", "4 of " + std::to_string(sluis::linker::kRecords) +
                                               " records, 3 match keys, rows of " +
                                               std::to_string(sluis::linker::kRowBytes) + " bytes");
  benchmark::AddCustomContext("chunks", std::to_string(sluis::linker::kChunkRecords) + " records, synced every " +
                                            std::to_string(sluis::linker::kSyncEveryChunks));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
