#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proto/sluis/linker/v1/linker.grpc.pb.h"
#include "tests/integration/world.h"

namespace sluis::testing {

// One message as the linker received it, fields that its program does not know among them.
struct ReceivedMessage {
  std::string method;
  std::string caller;  // SPIFFE ID
  std::string bytes;
};

// Stands between the parties of a world and its linker: serves under the linker's own certificate, keeps every message
// and all metadata of custodians and office, and passes the messages on, each under its caller's certificate. The
// parties' programs and the linker are the real ones.
//
// The gate goes to the linker directly: what it asks is a link set's id and registers' names.
class RecordingLinker final : public linker::v1::Linker::Service {
 public:
  // Has all clients of `world` go through it from now on, until the world starts a service again. `world` outlives it.
  explicit RecordingLinker(World& world);
  ~RecordingLinker() override;
  RecordingLinker(const RecordingLinker&) = delete;
  RecordingLinker& operator=(const RecordingLinker&) = delete;

  // What was received since the last call, in order.
  std::vector<ReceivedMessage> Take();
  // Names and values of all metadata so far.
  std::vector<std::string> Metadata();

  grpc::Status BeginUpload(grpc::ServerContext* context, const linker::v1::BeginUploadRequest* request,
                           linker::v1::BeginUploadResponse* response) override;
  grpc::Status Upload(grpc::ServerContext* context, grpc::ServerReader<linker::v1::UploadRequest>* reader,
                      linker::v1::UploadResponse* response) override;
  grpc::Status CommitUpload(grpc::ServerContext* context, const linker::v1::CommitUploadRequest* request,
                            linker::v1::CommitUploadResponse* response) override;
  grpc::Status StartLink(grpc::ServerContext* context, const linker::v1::StartLinkRequest* request,
                         linker::v1::StartLinkResponse* response) override;
  grpc::Status GetLinkJob(grpc::ServerContext* context, const linker::v1::GetLinkJobRequest* request,
                          linker::v1::GetLinkJobResponse* response) override;

 private:
  linker::v1::Linker::Stub& StubFor(const std::string& caller);
  // Keeps the metadata of a call and returns its caller.
  std::string Admit(const grpc::ServerContext& context);
  void Keep(const std::string& method, const std::string& caller, const google::protobuf::Message& message);

  World& world_;
  std::mutex mutex_;
  std::vector<ReceivedMessage> messages_;
  std::vector<std::string> metadata_;
  std::map<std::string, std::unique_ptr<linker::v1::Linker::Stub>> stubs_;  // by caller
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace sluis::testing
