package queries

// References lists the segments a definition names, each once, in the order they stand in.
func References(d Definition) []string {
	var ids unique
	walk(d.root, func(n Node) {
		if s, ok := n.(Segment); ok {
			ids.add(s.ID)
		}
	})
	return ids.all
}

// StandsAlone tells whether a definition names neither segments nor imports.
func StandsAlone(d Definition) bool {
	alone := true
	walk(d.root, func(n Node) {
		_, segment := n.(Segment)
		_, imported := n.(Import)
		alone = alone && !segment && !imported
	})
	return alone
}

// unique keeps words in the order they came, each once.
type unique struct {
	all  []string
	seen map[string]bool
}

func (u *unique) add(word string) {
	if u.seen[word] {
		return
	}
	if u.seen == nil {
		u.seen = map[string]bool{}
	}
	u.seen[word] = true
	u.all = append(u.all, word)
}

// walk visits every node, parents first.
func walk(n Node, visit func(Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, child := range children(n) {
		walk(child, visit)
	}
}

// children returns the conditions directly under a node.
func children(n Node) []Node {
	switch n := n.(type) {
	case All:
		return n.Of
	case Any:
		return n.Of
	case AtLeast:
		return n.Of
	case Not:
		return []Node{n.Of}
	default:
		return nil
	}
}
