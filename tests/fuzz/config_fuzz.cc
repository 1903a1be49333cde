// Configuration text: whatever it is, the answer is a value that passes its own checks, or a
// sentence that begins with the file and a line.
#include <cstddef>
#include <cstdint>
#include <string>

#include "payops/core/check.h"
#include "payops/core/yaml_fields.h"
#include "payops/safety/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto limits = payops::read_yaml<payops::safety::Limits>(text, "f.yaml");
  if (limits) {
    PAYOPS_CHECK(limits->validate());
  } else {
    PAYOPS_CHECK(limits.error().message.rfind("f.yaml:", 0) == 0);
  }
  return 0;
}
