#include "payops/model/intervention.h"

#include "payops/core/digest.h"
#include "payops/core/random.h"

namespace payops {

double share_of(std::string_view action_id, std::string_view user_id) {
  return static_cast<double>(mix64(hash64(action_id), hash64(user_id)) >> 11) * 0x1.0p-53;
}

}  // namespace payops
