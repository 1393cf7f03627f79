package interceptor

import "fmt"

// checkKeys finds hooks that stand before what they need.
func (s *Stack) checkKeys() (problems []error) {
	for _, e := range s.entries {
		for _, key := range e.requires {
			if err := s.checkKey(e, key); err != nil {
				problems = append(problems, err)
			}
		}
	}
	return problems
}

func (s *Stack) checkKey(e *entry, key AnyKey) error {
	var later, elsewhere *entry
	for _, p := range s.entries {
		if !p.providesKey(key) {
			continue
		}
		switch {
		case !p.covers(e):
			elsewhere = p
		case p.index < e.index:
			return nil
		case p != e:
			later = p
		}
	}
	switch {
	case later != nil:
		return fmt.Errorf("crosscut: hook %s needs %s from %s, which is listed after it; list %s, then %s", e.name, key.Name(), later.name, later.name, e.name)
	case elsewhere != nil:
		return fmt.Errorf("crosscut: hook %s needs %s from %s, which runs only inside %s; list %s outside of it, before %s", e.name, key.Name(), elsewhere.name, elsewhere.scope[len(elsewhere.scope)-1], elsewhere.name, e.name)
	}
	return fmt.Errorf("crosscut: hook %s needs %s, which no hook in the stack provides; list the hook that provides it before %s", e.name, key.Name(), e.name)
}

func (e *entry) providesKey(key AnyKey) bool {
	for _, k := range e.provides {
		if k == key {
			return true
		}
	}
	return false
}

// covers tells whether e runs on every call that other runs on, as far as the
// Whens show: each When around e is also around other.
func (e *entry) covers(other *entry) bool {
	if len(e.scope) > len(other.scope) {
		return false
	}
	for i := range e.scope {
		if e.scope[i] != other.scope[i] {
			return false
		}
	}
	return true
}
