#include "tests/integration/generic_call.h"

#include <grpcpp/generic/generic_stub.h>

namespace sluis::testing {

grpc::Status CallMethod(const std::shared_ptr<grpc::Channel>& channel, const google::protobuf::MethodDescriptor& method,
                        const google::protobuf::Message& request, std::optional<std::chrono::seconds> timeout) {
  grpc::ClientContext context;
  if (timeout.has_value()) context.set_deadline(std::chrono::system_clock::now() + *timeout);
  grpc::CompletionQueue queue;
  // One operation at a time: each is waited for before the next.
  const auto done = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareCall(&context, "/" + method.service()->full_name() + "/" + method.name(), &queue);
  call->StartCall(nullptr);
  bool open = done();
  if (open) {
    const grpc::Slice bytes(request.SerializeAsString());
    call->WriteLast(grpc::ByteBuffer(&bytes, 1), grpc::WriteOptions(), nullptr);
    done();
  }
  while (open) {
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    open = done();
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  return status;
}

}  // namespace sluis::testing
