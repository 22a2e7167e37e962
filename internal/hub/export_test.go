package hub

import "github.com/cniguard/cniguard/internal/remedy"

// Fixed is what the record adds to a fix, whatever method made that.
func (x Explanation) Fixed(fix remedy.Fix, whole bool) (Fix, error) {
	f, err := x.Facts()
	return x.fixed(f, fix, "a test says so", whole), err
}
