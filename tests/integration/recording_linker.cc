#include "tests/integration/recording_linker.h"

#include <filesystem>

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::testing {
namespace {

namespace v1 = linker::v1;

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// "spiffe://sluis.example/custodian/population" has its files under "population", "…/office/statistics" under "office".
std::string PartyOf(const std::string& caller) {
  const std::string custodian = "/custodian/";
  const std::size_t at = caller.find(custodian);
  return at == std::string::npos ? "office" : caller.substr(at + custodian.size());
}

}  // namespace

RecordingLinker::RecordingLinker(World& world) : world_(world) {
  const auto credentials = common::MakeServerCredentials(world.Tls("linker"));
  EXPECT_THAT(credentials, common::testing::IsOk());
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", *credentials, &port);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(-1);
  server_ = builder.BuildAndStart();
  EXPECT_GT(port, 0);
  for (const auto& entry : std::filesystem::directory_iterator(world / "clients")) {
    if (entry.path().extension() != ".yaml") continue;
    std::string config = ReadWhole(entry.path());
    ReplaceAll(config, "\"" + world.Address("linker") + "\"", "\"127.0.0.1:" + std::to_string(port) + "\"");
    WriteWhole(entry.path(), config);
  }
}

RecordingLinker::~RecordingLinker() { server_->Shutdown(std::chrono::system_clock::now()); }

std::vector<ReceivedMessage> RecordingLinker::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(messages_, {});
}

std::vector<std::string> RecordingLinker::Metadata() {
  const std::lock_guard lock(mutex_);
  return metadata_;
}

v1::Linker::Stub& RecordingLinker::StubFor(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  auto& stub = stubs_[caller];
  if (stub == nullptr) stub = v1::Linker::NewStub(world_.Channel(PartyOf(caller), "linker"));
  return *stub;
}

std::string RecordingLinker::Admit(const grpc::ServerContext& context) {
  const auto caller = common::PeerIdentity(context);
  EXPECT_THAT(caller, common::testing::IsOk());
  const std::lock_guard lock(mutex_);
  for (const auto& [name, value] : context.client_metadata()) {
    metadata_.push_back(std::string(name.data(), name.size()) + ": " + std::string(value.data(), value.size()));
  }
  return caller.ok() ? *caller : "";
}

void RecordingLinker::Keep(const std::string& method, const std::string& caller,
                           const google::protobuf::Message& message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back({method, caller, message.SerializeAsString()});
}

grpc::Status RecordingLinker::BeginUpload(grpc::ServerContext* context, const v1::BeginUploadRequest* request,
                                          v1::BeginUploadResponse* response) {
  const std::string caller = Admit(*context);
  Keep("BeginUpload", caller, *request);
  grpc::ClientContext onward;
  onward.set_deadline(context->deadline());
  return StubFor(caller).BeginUpload(&onward, *request, response);
}

grpc::Status RecordingLinker::Upload(grpc::ServerContext* context, grpc::ServerReader<v1::UploadRequest>* reader,
                                     v1::UploadResponse* response) {
  const std::string caller = Admit(*context);
  grpc::ClientContext onward;
  onward.set_deadline(context->deadline());
  const auto writer = StubFor(caller).Upload(&onward, response);
  v1::UploadRequest message;
  while (reader->Read(&message)) {
    Keep("Upload", caller, message);
    if (!writer->Write(message)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

grpc::Status RecordingLinker::CommitUpload(grpc::ServerContext* context, const v1::CommitUploadRequest* request,
                                           v1::CommitUploadResponse* response) {
  const std::string caller = Admit(*context);
  Keep("CommitUpload", caller, *request);
  grpc::ClientContext onward;
  onward.set_deadline(context->deadline());
  return StubFor(caller).CommitUpload(&onward, *request, response);
}

grpc::Status RecordingLinker::StartLink(grpc::ServerContext* context, const v1::StartLinkRequest* request,
                                        v1::StartLinkResponse* response) {
  const std::string caller = Admit(*context);
  Keep("StartLink", caller, *request);
  grpc::ClientContext onward;
  onward.set_deadline(context->deadline());
  return StubFor(caller).StartLink(&onward, *request, response);
}

grpc::Status RecordingLinker::GetLinkJob(grpc::ServerContext* context, const v1::GetLinkJobRequest* request,
                                         v1::GetLinkJobResponse* response) {
  const std::string caller = Admit(*context);
  Keep("GetLinkJob", caller, *request);
  grpc::ClientContext onward;
  onward.set_deadline(context->deadline());
  return StubFor(caller).GetLinkJob(&onward, *request, response);
}

}  // namespace sluis::testing
