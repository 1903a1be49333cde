#include "payops/safety/verdict.h"

#include "payops/core/sign.h"

namespace payops::safety {

Status verify_verdict(const Verdict& verdict, const std::vector<std::string>& public_keys_hex) {
  // "|" separates the signed fields: with one inside, two verdicts could share a signed text.
  for (const std::string* field : {&verdict.proposal_id, &verdict.verdict, &verdict.shown_hash}) {
    if (field->find('|') != std::string::npos) {
      return fail(ErrorCode::refused, "it has a \"|\" in \"" + *field + "\"");
    }
  }
  return verify_text(verdict.signed_text(), verdict.sig, public_keys_hex);
}

Status sign_verdict(Verdict& verdict, const std::string& secret_key_hex) {
  auto signature = sign_text(verdict.signed_text(), secret_key_hex);
  if (!signature) return tl::make_unexpected(signature.error());
  verdict.sig = std::move(*signature);
  return {};
}

}  // namespace payops::safety
