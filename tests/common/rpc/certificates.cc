#include "tests/common/rpc/certificates.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace sluis::common::testing {
namespace {

void Run(const std::string& command) { EXPECT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command; }

constexpr char kNewKey[] = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";

}  // namespace

Certificates::Certificates() = default;

std::string Certificates::AuthorityFile(const std::string& authority) {
  const std::string base = directory_ / authority;
  if (!std::filesystem::exists(base + ".crt")) {
    Run("openssl req -x509 -days 1 -subj '/CN=" + authority + "'" + kNewKey + "-keyout " + base + ".key -out " + base +
        ".crt -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign");
  }
  return base + ".crt";
}

TlsFiles Certificates::Issue(const std::string& name, const std::vector<std::string>& uris,
                             const std::string& authority, const std::string& trusted) {
  const std::string base = directory_ / ("of_" + name);
  const std::string authority_file = AuthorityFile(authority);
  std::ofstream extensions(base + ".ext");
  extensions << "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n";
  for (std::size_t i = 0; i < uris.size(); ++i) extensions << (i == 0 ? "subjectAltName=URI:" : ",URI:") << uris[i];
  extensions << "\n";
  extensions.close();
  Run("openssl req -new -subj '/CN=" + name + "'" + kNewKey + "-keyout " + base + ".key -out " + base + ".csr");
  Run("openssl x509 -req -days 1 -in " + base + ".csr -CA " + authority_file + " -CAkey " +
      (directory_ / (authority + ".key")) + " -CAcreateserial -out " + base + ".crt -extfile " + base + ".ext");
  EXPECT_EQ(chmod((base + ".key").c_str(), 0600), 0);
  return {base + ".crt", base + ".key", AuthorityFile(trusted)};
}

}  // namespace sluis::common::testing
