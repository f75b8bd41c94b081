#pragma once

#include <string>
#include <vector>

#include "common/rpc/tls.h"
#include "tests/common/store/temporary_directory.h"

namespace sluis::common::testing {

// Certificates made at test time by the openssl program, valid for one day.
class Certificates {
 public:
  Certificates();
  // A certificate of the authority `authority` (made when first named) with the given URI names and no other, and its
  // private key of mode 0600. Trusts `trusted`.
  TlsFiles Issue(const std::string& name, const std::vector<std::string>& uris, const std::string& authority = "ca",
                 const std::string& trusted = "ca");
  std::string AuthorityFile(const std::string& authority);

 private:
  TemporaryDirectory directory_;
};

}  // namespace sluis::common::testing
