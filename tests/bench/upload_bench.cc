// The upload of prepared records to the linker as a custodian's client does it: gRPC over mutual TLS on the loopback
// interface, the linker's service with its guard, and a RocksDB store on disk; begin, stream, commit, receipt. Client
// and server are one process here, so its processor time is that of both.
//
// The floor, timed in the same run on the same messages, is what no linker that keeps the protocol can leave out:
//   transport  the same stream to a service that throws the messages away
//   storage    SHA-256 of each chunk, and its bytes as they are into RocksDB, synced as often

#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/tls.h"
#include "linker/server/linker_service.h"
#include "tests/bench/bench.h"
#include "tests/common/document/sample_permit.h"
#include "tests/common/rpc/certificates.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::linker {
namespace {

using bench::Require;

constexpr std::uint64_t kSeed = 20250101;
constexpr std::uint64_t kRecords = 500'000;
constexpr std::uint32_t kChunkRecords = 2048;
constexpr std::uint32_t kMatchKeys = 3;
constexpr std::uint32_t kRowBytes = 96;
constexpr std::uint32_t kSyncEveryChunks = 32;  // as the service does
constexpr char kCustodian[] = "spiffe://example/custodian/employment";
constexpr char kLinker[] = "spiffe://example/linker";
constexpr char kBlob[] = "x";  // every attachment; the linker does not read them

void Require(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
}
void Require(const grpc::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.error_message().c_str());
    std::exit(1);
  }
}

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

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// A permit of the sample's form under which `custodian` may deliver jobs with three match keys, approved.
common::PermitSet MakePermits(const std::string& directory, const common::SigningKey& custodian) {
  std::string document = common::testing::SamplePermit();
  ReplaceAll(document, std::string(64, '0'), common::HexOf(common::Sha256(kBlob)));
  ReplaceAll(document, "DAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw=",
             common::Base64Encode(common::AsChars(custodian.public_key)));
  ReplaceAll(document, "required_approvals: 2", "required_approvals: 1");
  ReplaceAll(document, "match_keys: [bsn, person]", "match_keys: [bsn, person, name]");
  ReplaceAll(document, "match_keys: [bsn]\n    max_records: 2000",
             "match_keys: [bsn, person, name]\n    max_records: 500000");
  ReplaceAll(document, "dimensions:\n",
             "  - {name: name, purpose: match-keys, components: [{source: surname, normaliser: NAME}]}\ndimensions:\n");
  std::ofstream(directory + "/permit.yaml") << document;
  for (const char* name : {"schemas/persons.json", "schemas/jobs.json", "hierarchies/sex.csv", "rules/strict.yaml"}) {
    const std::filesystem::path path = std::filesystem::path(directory) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << kBlob;
  }
  const common::SigningKey approver = common::SigningKey::Generate();
  Require(common::ApprovePermit(directory, "anna", approver));
  return Require(common::PermitSet::Load({directory}, {{"anna", approver.public_key}}, 1));
}

struct Prepared {
  DeliveryHeader header;
  std::vector<v1::UploadRequest> messages;
  std::string digest;
};

Prepared Prepare(const common::Permit& permit, const common::SigningKey& custodian) {
  const common::PermitRegister& jobs = *permit.FindRegister("jobs");
  Prepared prepared;
  prepared.header = {.delivery_id = "jobs-1",
                     .replaces = "",
                     .permit_id = permit.id,
                     .permit_sha256 = permit.sha256,
                     .register_name = jobs.name,
                     .records = kRecords,
                     .match_keys = jobs.match_keys,
                     .row_bytes = kRowBytes,
                     .sealed_data_key = "sealed",
                     .schema_sha256 = permit.FindAttachment(jobs.schema)->sha256,
                     .manifest_sha256 = {},
                     .signature = ""};
  prepared.header.signature = common::SignDelivery(StatementOf(prepared.header), custodian);
  std::vector<common::Hash256> digests;
  std::uint64_t state = kSeed;
  const auto bytes = [&state](std::size_t size) {  // xorshift64*: no pseudonym is all zero, and none is compressible
    std::string out;
    out.reserve(size + 8);
    while (out.size() < size) {
      state ^= state >> 12;
      state ^= state << 25;
      state ^= state >> 27;
      common::AppendBigEndian64(out, state * 0x2545F4914F6CDD1Dull);
    }
    out.resize(size);
    return out;
  };
  for (std::uint64_t sent = 0; sent < kRecords;) {
    const auto number = static_cast<std::uint32_t>(prepared.messages.size());
    const auto records = static_cast<std::uint32_t>(std::min<std::uint64_t>(kChunkRecords, kRecords - sent));
    v1::UploadRequest& message = prepared.messages.emplace_back();
    if (number == 0) {
      message.set_permit_id(permit.id);
      message.set_register_(jobs.name);
      message.set_delivery_id(prepared.header.delivery_id);
    }
    message.set_chunk(number);
    message.set_records(records);
    message.set_pseudonyms(bytes(std::size_t{records} * kMatchKeys * kPseudonymBytes));
    message.set_rows(bytes(std::size_t{records} * kRowBytes));
    digests.push_back(ChunkDigest(number, {records, message.pseudonyms(), message.rows()}));
    message.set_sha256(std::string(common::AsChars(digests.back())));
    sent += records;
  }
  prepared.digest = std::string(common::AsChars(DeliveryDigest(HeaderDigest(prepared.header), digests)));
  return prepared;
}

// Throws everything away.
class Sink final : public v1::Linker::Service {
 public:
  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadRequest>* reader,
                      v1::UploadResponse*) override {
    v1::UploadRequest message;
    while (reader->Read(&message)) benchmark::DoNotOptimize(message.rows().data());
    return grpc::Status::OK;
  }
};

class Served {
 public:
  Served(grpc::Service& service, const common::TlsFiles& server, const common::TlsFiles& client) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", Require(common::MakeServerCredentials(server)), &port);
    builder.SetMaxReceiveMessageSize(8 << 20);
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) Require(absl::UnavailableError("cannot listen on the loopback interface"));
    channel_ = Require(common::Connect(client, "127.0.0.1:" + std::to_string(port), kLinker));
    stub_ = v1::Linker::NewStub(channel_);
    channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
  }
  ~Served() { server_->Shutdown(); }
  v1::Linker::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Linker::Stub> stub_;
};

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(10));
}

void Stream(v1::Linker::Stub& stub, const Prepared& prepared) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::UploadResponse response;
  const auto writer = stub.Upload(&context, &response);
  for (const v1::UploadRequest& message : prepared.messages) {
    if (!writer->Write(message)) break;
  }
  writer->WritesDone();
  Require(writer->Finish());
}

void Deliver(v1::Linker::Stub& stub, const Prepared& prepared) {
  v1::BeginUploadRequest begin;
  v1::DeliveryHeader& header = *begin.mutable_header();
  header.set_permit_id(prepared.header.permit_id);
  header.set_permit_sha256(std::string(common::AsChars(prepared.header.permit_sha256)));
  header.set_register_(prepared.header.register_name);
  header.set_delivery_id(prepared.header.delivery_id);
  header.set_record_count(prepared.header.records);
  for (const std::string& key : prepared.header.match_keys) header.add_match_keys(key);
  header.set_row_bytes(prepared.header.row_bytes);
  header.set_sealed_data_key(prepared.header.sealed_data_key);
  header.set_schema_sha256(std::string(common::AsChars(prepared.header.schema_sha256)));
  header.set_manifest_sha256(std::string(common::AsChars(prepared.header.manifest_sha256)));
  header.set_signature(prepared.header.signature);
  v1::BeginUploadResponse begun;
  grpc::ClientContext begin_context;
  SetDeadline(begin_context);
  Require(stub.BeginUpload(&begin_context, begin, &begun));
  Stream(stub, prepared);
  v1::CommitUploadRequest commit;
  commit.set_permit_id(prepared.header.permit_id);
  commit.set_register_(prepared.header.register_name);
  commit.set_delivery_id(prepared.header.delivery_id);
  commit.set_records(prepared.header.records);
  commit.set_sha256(prepared.digest);
  v1::CommitUploadResponse committed;
  grpc::ClientContext commit_context;
  SetDeadline(commit_context);
  Require(stub.CommitUpload(&commit_context, commit, &committed));
}

// A new linker with an empty store on disk.
struct Linker {
  explicit Linker(const common::PermitSet& permits) {
    common::RocksDbOptions options;
    options.families = RecordStore::Families();
    options.families.push_back(kRequestFamily);
    for (const std::string& family : common::LogFamilies()) options.families.push_back(family);
    options.format_version = RecordStore::kFormatVersion;
    store = Require(common::OpenRocksDb(directory.path() + "/store", options));
    Require(common::Metrics::Open("", metrics));
    log = Require(common::ServiceLog::Open(
        Require(common::LogWriter::Open(*store, "linker.example/log", common::SigningKey::Generate(),
                                        directory.path() + "/log")),
        *metrics));
    for (const auto& [id, bundle] : permits.all()) {
      projects[id] = std::make_unique<RecordStore>(*store, id, common::SecretBytes::Random(32));
    }
    service = std::make_unique<LinkerService>(permits, projects, *store, *log, *metrics, LinkerServiceOptions{});
  }

  common::testing::TemporaryDirectory directory;
  std::unique_ptr<common::Store> store;
  std::unique_ptr<common::Metrics> metrics;
  std::unique_ptr<common::ServiceLog> log;
  ProjectStores projects;
  std::unique_ptr<LinkerService> service;
};

void HashAndStore(const Prepared& prepared) {
  common::testing::TemporaryDirectory directory;
  common::RocksDbOptions options;
  options.families = {"chunks"};
  options.format_version = 1;
  const auto store = Require(common::OpenRocksDb(directory.path() + "/store", options));
  for (const v1::UploadRequest& message : prepared.messages) {
    common::WriteBatch batch;
    std::string key;
    common::AppendBigEndian64(key, message.chunk());
    benchmark::DoNotOptimize(ChunkDigest(message.chunk(), {message.records(), message.pseudonyms(), message.rows()}));
    batch.Put("chunks", key + "p", message.pseudonyms());
    batch.Put("chunks", key + "r", message.rows());
    const bool sync =
        message.chunk() % kSyncEveryChunks == kSyncEveryChunks - 1 || message.chunk() + 1 == prepared.messages.size();
    Require(store->Write(batch, sync));
  }
}

void BM_Upload(benchmark::State& state) {
  common::testing::TemporaryDirectory permit_directory;
  const common::SigningKey custodian = common::SigningKey::Generate();
  const common::PermitSet permits = MakePermits(permit_directory.path(), custodian);
  const Prepared prepared = Prepare(permits.all().begin()->second.permit, custodian);
  common::testing::Certificates certificates;
  const common::TlsFiles server = certificates.Issue("linker", {kLinker});
  const common::TlsFiles client = certificates.Issue("custodian", {kCustodian});
  Sink sink;
  Stopwatch real, transport, storage;
  for (auto _ : state) {
    state.PauseTiming();
    {
      Served served(sink, server, client);
      const Stopwatch begin = Stopwatch::Now();
      Stream(served.stub(), prepared);
      transport.AddSince(begin);
    }
    Stopwatch begin = Stopwatch::Now();
    HashAndStore(prepared);
    storage.AddSince(begin);
    auto linker = std::make_unique<Linker>(permits);
    auto served = std::make_unique<Served>(*linker->service, server, client);
    state.ResumeTiming();
    begin = Stopwatch::Now();
    Deliver(served->stub(), prepared);
    real.AddSince(begin);
    state.PauseTiming();
    served.reset();
    linker.reset();
    state.ResumeTiming();
  }
  const auto records = static_cast<double>(kRecords) * static_cast<double>(state.iterations());
  state.counters["records/s"] = records / real.wall;
  state.counters["records/cpu_s"] = records / real.cpu;
  state.counters["MB/s"] = records * (kMatchKeys * kPseudonymBytes + kRowBytes) / real.wall / 1e6;
  state.counters["transport_records/s"] = records / transport.wall;
  state.counters["storage_records/s"] = records / storage.wall;
  state.counters["of_floor"] = (transport.cpu + storage.cpu) / real.cpu;
}
BENCHMARK(BM_Upload)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(3);

std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
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
  benchmark::AddCustomContext("delivery", std::to_string(sluis::linker::kRecords) + " records of " +
                                              std::to_string(sluis::linker::kMatchKeys) + " pseudonyms and " +
                                              std::to_string(sluis::linker::kRowBytes) + " bytes, in chunks of " +
                                              std::to_string(sluis::linker::kChunkRecords));
  benchmark::AddCustomContext("store", "RocksDB below " + ::testing::TempDir() + ", synced every 32 chunks");
  benchmark::RunSpecifiedBenchmarks();
}
