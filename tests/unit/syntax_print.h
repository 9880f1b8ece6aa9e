// Trees as text, for tests: every node as `(kind parts…)`, names and literals as they are.
#pragma once

#include <string>

#include "compiler/syntax/ast.h"

namespace quelea::compiler {

class TreePrinter {
 public:
  explicit TreePrinter(const Interner& interner) : interner_(interner) {}

  std::string print(const Pattern* p) const {
    switch (p->kind) {
      case PatternKind::kWildcard:
        return "_";
      case PatternKind::kVar: {
        const VarPattern* var = as<VarPattern>(p);
        std::string out(interner_.text(var->name));
        if (var->var != VarId::kNone) out += "#" + number(var->var);
        return var->repeat ? "=" + out : out;
      }
      case PatternKind::kLiteral:
        return print(as<LiteralPattern>(p)->literal);
      case PatternKind::kPin:
        return "^" + print(as<PinPattern>(p)->value);
      case PatternKind::kTuple:
        return list("tuple", as<TuplePattern>(p)->elements);
      case PatternKind::kList: {
        const ListPattern* l = as<ListPattern>(p);
        std::string out = list("list", l->elements);
        if (l->tail != nullptr) out.insert(out.size() - 1, " | " + print(l->tail));
        return out;
      }
      case PatternKind::kMap:
        return "(map" + fields(as<MapPattern>(p)->fields) + ")";
      case PatternKind::kStruct:
        return "(struct " + text(as<StructPattern>(p)->name) +
               fields(as<StructPattern>(p)->fields) + ")";
      case PatternKind::kBin:
        return "(bin" + segments(as<BinPattern>(p)->segments) + ")";
      case PatternKind::kPrefix:
        return "(prefix \"" + std::string(as<PrefixPattern>(p)->prefix) + "\" " +
               print(as<PrefixPattern>(p)->rest) + ")";
      case PatternKind::kRange:
        return "(.. " + print(as<RangePattern>(p)->low) + " " + print(as<RangePattern>(p)->high) +
               ")";
      case PatternKind::kAs:
        return "(as " + print(as<AsPattern>(p)->pattern) + " " + print(as<AsPattern>(p)->name) +
               ")";
      case PatternKind::kAlt:
        return list("alt", as<AltPattern>(p)->alternatives);
      case PatternKind::kDefault:
        return "(default " + print(as<DefaultPattern>(p)->pattern) + " " +
               print(as<DefaultPattern>(p)->value) + ")";
      case PatternKind::kError:
        return "error";
    }
    return "?";
  }

  std::string print(const Expr* e) const {
    if (e == nullptr) return "none";
    switch (e->kind) {
      case ExprKind::kInt: {
        const IntExpr* i = as<IntExpr>(e);
        if (i->small) return std::to_string(i->value);
        return (i->negative ? "-" : "") + std::string(i->digits) +
               (i->radix == 10 ? "" : "r" + std::to_string(i->radix));
      }
      case ExprKind::kFloat: {
        std::string out = std::to_string(as<FloatExpr>(e)->value);
        return out.substr(0, out.find_last_not_of('0') + 1);
      }
      case ExprKind::kAtom:
        return ":" + text(as<AtomExpr>(e)->name);
      case ExprKind::kModule:
        return text(as<ModuleExpr>(e)->name);
      case ExprKind::kString:
        return "\"" + std::string(as<StringExpr>(e)->text) + "\"";
      case ExprKind::kInterp:
        return list("interp", as<InterpExpr>(e)->parts);
      case ExprKind::kName: {
        const NameExpr* name = as<NameExpr>(e);
        std::string out = text(name->name);
        if (name->var != VarId::kNone) out += "#" + number(name->var);
        return name->constant != nullptr ? "const:" + out : out;
      }
      case ExprKind::kCall:
        return print_call(as<CallExpr>(e));
      case ExprKind::kFunRef: {
        const FunRefExpr* f = as<FunRefExpr>(e);
        return "&" + (f->object == nullptr ? "" : print(f->object) + ".") + text(f->name) + "/" +
               std::to_string(f->arity);
      }
      case ExprKind::kLambda:
        return print_lambda(as<LambdaExpr>(e));
      case ExprKind::kLocalFn:
        return "(local " + print_lambda(as<LocalFnExpr>(e)->lambda) + ")";
      case ExprKind::kBinary:
        return "(" + std::string(binary_op_text(as<BinaryExpr>(e)->op)) + " " +
               print(as<BinaryExpr>(e)->lhs) + " " + print(as<BinaryExpr>(e)->rhs) + ")";
      case ExprKind::kLogical:
        return std::string(as<LogicalExpr>(e)->is_and ? "(and " : "(or ") +
               print(as<LogicalExpr>(e)->lhs) + " " + print(as<LogicalExpr>(e)->rhs) + ")";
      case ExprKind::kUnary: {
        static constexpr const char* kOps[] = {"neg", "bnot", "not"};
        return "(" + std::string(kOps[static_cast<int>(as<UnaryExpr>(e)->op)]) + " " +
               print(as<UnaryExpr>(e)->operand) + ")";
      }
      case ExprKind::kMatch:
        return "(= " + print(as<MatchExpr>(e)->pattern) + " " + print(as<MatchExpr>(e)->value) +
               ")";
      case ExprKind::kIs:
        return "(is " + print(as<IsExpr>(e)->value) + " " + print(as<IsExpr>(e)->pattern) + ")";
      case ExprKind::kTryOp:
        return "(? " + print(as<TryOpExpr>(e)->value) + ")";
      case ExprKind::kTuple:
        return list("tuple", as<TupleExpr>(e)->elements);
      case ExprKind::kList: {
        const ListExpr* l = as<ListExpr>(e);
        std::string out = list("list", l->elements);
        if (l->tail != nullptr) out.insert(out.size() - 1, " | " + print(l->tail));
        return out;
      }
      case ExprKind::kMap:
        return "(map" + fields(as<MapExpr>(e)->fields) + ")";
      case ExprKind::kStruct:
        return "(struct " + text(as<StructExpr>(e)->name) + fields(as<StructExpr>(e)->fields) + ")";
      case ExprKind::kMapUpdate: {
        std::string out = "(update " + print(as<MapUpdateExpr>(e)->base);
        for (const MapUpdate& update : as<MapUpdateExpr>(e)->updates) {
          out += " [";
          for (size_t i = 0; i < update.path.size(); ++i) {
            out += (i > 0 ? "." : "") + text(update.path[i]);
          }
          if (update.key != nullptr) out += print(update.key);
          out += " " + print(update.value) + "]";
        }
        return out + ")";
      }
      case ExprKind::kField:
        return "(. " + print(as<FieldExpr>(e)->object) + " " + text(as<FieldExpr>(e)->name) + ")";
      case ExprKind::kElement:
        return "(. " + print(as<ElementExpr>(e)->object) + " " +
               std::to_string(as<ElementExpr>(e)->index) + ")";
      case ExprKind::kIndex:
        return "([] " + print(as<IndexExpr>(e)->object) + " " + print(as<IndexExpr>(e)->key) + ")";
      case ExprKind::kBin:
        return "(bin" + segments(as<BinExpr>(e)->segments) + ")";
      case ExprKind::kBlock:
        return list("block", as<BlockExpr>(e)->statements);
      case ExprKind::kIf:
        return "(if " + print(as<IfExpr>(e)->condition) + " " + print(as<IfExpr>(e)->then_branch) +
               " " + print(as<IfExpr>(e)->else_branch) + ")";
      case ExprKind::kCase:
        return "(match " + print(as<CaseExpr>(e)->subject) + arms(as<CaseExpr>(e)->arms) + ")";
      case ExprKind::kReceive: {
        const ReceiveExpr* r = as<ReceiveExpr>(e);
        std::string out = "(receive" + arms(r->arms);
        if (r->timeout != nullptr)
          out += " after " + print(r->timeout) + " " + print(r->timeout_body);
        return out + ")";
      }
      case ExprKind::kTry: {
        const TryExpr* t = as<TryExpr>(e);
        std::string out = "(try " + print(t->body);
        for (const CatchArm& arm : t->arms) {
          out += " [" + print(arm.klass) + " " + print(arm.reason);
          if (arm.trace != nullptr) out += " " + print(arm.trace);
          if (arm.guard != nullptr) out += " when " + print(arm.guard);
          out += " -> " + print(arm.body) + "]";
        }
        if (t->after != nullptr) out += " after " + print(t->after);
        return out + ")";
      }
      case ExprKind::kFor: {
        const ForExpr* f = as<ForExpr>(e);
        std::string out = "(for" + generators(f->generators);
        if (f->acc != nullptr) out += " with " + print(f->acc) + " " + print(f->initial);
        return out + " " + print(f->body) + ")";
      }
      case ExprKind::kListComp:
        return "(listcomp " + print(as<ListCompExpr>(e)->element) +
               generators(as<ListCompExpr>(e)->generators) + ")";
      case ExprKind::kMapComp:
        return "(mapcomp " + print(as<MapCompExpr>(e)->field.key) + " " +
               print(as<MapCompExpr>(e)->field.value) + generators(as<MapCompExpr>(e)->generators) +
               ")";
      case ExprKind::kBinComp:
        return "(bincomp" + segments(as<BinCompExpr>(e)->segments) +
               generators(as<BinCompExpr>(e)->generators) + ")";
      case ExprKind::kAssert:
        return print_assert(as<AssertExpr>(e));
      case ExprKind::kWildcard:
        return "_";
      case ExprKind::kPin:
        return "^" + print(as<PinExpr>(e)->value);
      case ExprKind::kAlt:
        return list("alt", as<AltExpr>(e)->alternatives);
      case ExprKind::kAs:
        return "(as " + print(as<AsExpr>(e)->value) + " " + text(as<AsExpr>(e)->name) + ")";
      case ExprKind::kError:
        return "error";
    }
    return "?";
  }

  std::string print(const Clause* clause) const {
    std::string out = "[";
    for (const Pattern* p : clause->params) out += print(p) + " ";
    if (clause->guard != nullptr) out += "when " + print(clause->guard) + " ";
    return out + "-> " + print(clause->body) + "]";
  }

 private:
  std::string text(Symbol symbol) const { return std::string(interner_.text(symbol)); }
  static std::string number(VarId var) { return std::to_string(static_cast<uint32_t>(var)); }

  template <class T>
  std::string list(const char* name, std::span<T*> items) const {
    std::string out = "(" + std::string(name);
    for (const T* item : items) out += " " + print(item);
    return out + ")";
  }
  template <class T>
  std::string fields(std::span<T> items) const {
    std::string out;
    for (const T& field : items) out += " " + print(field.key) + "=" + print(field.value);
    return out;
  }
  std::string arms(std::span<Arm> items) const {
    std::string out;
    for (const Arm& arm : items) {
      out += " [" + print(arm.pattern);
      if (arm.guard != nullptr) out += " when " + print(arm.guard);
      out += " -> " + print(arm.body) + "]";
    }
    return out;
  }
  std::string generators(std::span<Generator> items) const {
    std::string out;
    for (const Generator& each : items) {
      out += " [" + print(each.pattern) + " in " + print(each.source);
      if (each.filter != nullptr) out += " if " + print(each.filter);
      out += "]";
    }
    return out;
  }
  std::string segments(std::span<Segment> items) const {
    static constexpr const char* kTypes[] = {"int",  "float", "bytes", "bits",
                                             "utf8", "utf16", "utf32"};
    static constexpr const char* kEndians[] = {"", "-little", "-native"};
    std::string out;
    for (const Segment& each : items) {
      out += " " + (each.value != nullptr ? print(each.value) : print(each.pattern));
      if (each.size != nullptr) out += ":" + print(each.size);
      out += std::string("/") + kTypes[static_cast<int>(each.type)];
      if (each.is_signed) out += "-signed";
      out += kEndians[static_cast<int>(each.endian)];
      out += "*" + std::to_string(each.unit);
    }
    return out;
  }
  std::string print_call(const CallExpr* call) const {
    std::string out = "(call ";
    const Target& target = call->target;
    switch (target.kind) {
      case TargetKind::kUnresolved:
        out += print(call->callee);
        break;
      case TargetKind::kLocal:
        out += "local:" + number(target.var);
        break;
      case TargetKind::kFunction:
        out += "fn:" + text(target.name) + "/" + std::to_string(target.function->arity);
        break;
      case TargetKind::kPrelude:
        out += "prelude:" + text(target.name);
        break;
      case TargetKind::kRemote:
        out += text(target.module) + ":" + text(target.name);
        break;
      case TargetKind::kDynamic:
        out += "dynamic:" + print(target.object) + "." + text(target.name);
        break;
      case TargetKind::kValue:
        out += "value:" + print(target.object);
        break;
    }
    for (const Expr* arg : call->args) out += " " + print(arg);
    return out + ")";
  }
  std::string print_lambda(const LambdaExpr* fn) const {
    std::string out = "(fn " + text(fn->name);
    if (fn->self != VarId::kNone) out += "#" + number(fn->self);
    for (const Clause* clause : fn->clauses) out += print(clause);
    if (!fn->captures.empty()) {
      out += " captures";
      for (VarId var : fn->captures) out += " " + number(var);
    }
    return out + ")";
  }
  std::string print_assert(const AssertExpr* e) const {
    static constexpr const char* kKinds[] = {"", "=", " receive", " not receive"};
    std::string out = std::string("(assert") + kKinds[static_cast<int>(e->assert_kind)];
    if (e->pattern != nullptr) out += " " + print(e->pattern);
    if (e->guard != nullptr) out += " when " + print(e->guard);
    if (e->value != nullptr) out += " " + print(e->value);
    if (e->timeout != nullptr) out += " after " + print(e->timeout);
    return out + ")";
  }

  const Interner& interner_;
};

}  // namespace quelea::compiler
