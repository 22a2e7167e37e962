package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

// digest is the first 128 bits of the SHA-256 of the parts, in hexadecimal. Parts cannot run into each other.
func digest(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}

// ConflictMode is what every update asks of EKS about fields that others set: to keep them (EKS API reference, UpdateAddon).
const ConflictMode = "PRESERVE"

// keeps is the digest of what an update must leave as it is: an approval is void when one of these has changed.
func keeps(id cluster.ID, role, config string) string {
	return digest(id.ARN(), role, config, ConflictMode)
}

// hash is the digest of a whole plan.
func hash(path []string, keeps string) string {
	return digest(append([]string{keeps}, path...)...)
}

// matter names what a step is about: the same for each of its tries, and another one after an add-on that was proved at a version
// was moved back. A try that was lost has the same client request token as the one that takes its place.
func matter(id cluster.ID, s Step, last Proved) string {
	return digest(id.ARN(), s.From.String(), s.To.String(), last.At.UTC().Format(time.RFC3339Nano))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
