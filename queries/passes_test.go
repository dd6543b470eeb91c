package queries

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// passes are the functions that go through all types of a sealed interface: every one of them has a case for every type.
var passes = map[string][]string{
	"node":      {"resolver.node", "normaliser.node", "printer.node", "sentence", "explainer.node", "inspector.node", "mentions.node"},
	"predicate": {"clock.predicate", "printer.predicate", "predicateSentence", "sqlPrinter.predicate", "failsAlways", "holdsAlways", "mentions.predicate"},
	"leaf":      {"sourceOf", "Plan.Follows", "windowOf", "leafPhrase", "workOf", "impossible"},
}

// TestNoPassForgetsAType reads the package's source: a type that a pass has no case for fails here, and not in production.
func TestNoPassForgetsAType(t *testing.T) {
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string][]string{}          // by the method that marks them
	handled := map[string]map[string]bool{} // by function
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if receiver := receiverOf(f); receiver != "" && f.Body != nil && len(f.Body.List) == 0 {
				types[f.Name.Name] = append(types[f.Name.Name], receiver)
				continue
			}
			handled[nameOf(f)] = casesOf(f)
		}
	}
	for method, functions := range passes {
		if len(types[method]) < 4 {
			t.Errorf("only %v have the method %s", types[method], method)
		}
		for _, function := range functions {
			cases, ok := handled[function]
			if !ok {
				t.Errorf("there is no function %s", function)
			}
			for _, name := range types[method] {
				if !cases[name] {
					t.Errorf("%s has no case for %s", function, name)
				}
			}
		}
	}
	// A function that switches over these types without being listed would escape the test.
	for function, cases := range handled {
		for method, all := range types {
			known := slices.ContainsFunc(all, func(name string) bool { return cases[name] })
			if known && !slices.Contains(passes[method], function) && function != "children" {
				t.Errorf("%s switches over types with the method %s and is not listed in passes", function, method)
			}
		}
	}
}

func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if ident, ok := expr.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}

func nameOf(f *ast.FuncDecl) string {
	if receiver := receiverOf(f); receiver != "" {
		return receiver + "." + f.Name.Name
	}
	return f.Name.Name
}

// casesOf returns the types that a function's type switches have cases for.
func casesOf(f *ast.FuncDecl) map[string]bool {
	cases := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.TypeSwitchStmt); ok {
			for _, clause := range s.Body.List {
				for _, expr := range clause.(*ast.CaseClause).List {
					if ident, ok := expr.(*ast.Ident); ok {
						cases[ident.Name] = true
					}
				}
			}
		}
		return true
	})
	return cases
}
