#include "vm/code/constants.h"

namespace quelea {

ConstantTerms decode_constants(const ModuleImage& image, TermAlloc& alloc, AtomTable& atoms,
                               EtfDecodeOptions options) {
  ConstantTerms result;
  options.bare = true;
  auto refuse = [&](std::size_t index, const char* reason) {
    result.error = "constant " + std::to_string(index) + ": " + reason;
    return std::move(result);
  };
  result.terms.reserve(image.constants.size());
  for (std::uint32_t i = 0; i < image.constants.size(); ++i) {
    const Constant& constant = image.constants[i];
    switch (constant.kind) {
      case ConstantKind::Small:
        result.terms.push_back(Term::small(constant.value));
        break;
      case ConstantKind::EmptyList:
        result.terms.push_back(Term::nil_list());
        break;
      case ConstantKind::Atom: {
        const std::string& name = image.names[static_cast<NameId>(constant.value)];
        const Term atom = atoms.intern(name, options.atoms_of);
        if (atom.is_none()) return refuse(i, "no valid atom, or too many atoms");
        result.terms.push_back(atom);
        break;
      }
      case ConstantKind::Term: {
        EtfDecodeResult decoded =
            etf_decode(alloc, reinterpret_cast<const std::uint8_t*>(constant.bytes.data()),
                       constant.bytes.size(), atoms, options);
        if (decoded.term.is_none())
          return refuse(i, decoded.error != nullptr ? decoded.error : "no term");
        result.terms.push_back(decoded.term);
      }
    }
  }
  return result;
}

}  // namespace quelea
