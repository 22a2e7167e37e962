package wire

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/eks/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/cniguard/cniguard/internal/world"
)

// operation is one that the world simulates.
type operation struct {
	name    string
	service string       // IAM prefix, as "events"
	input   reflect.Type // the SDK's input, a struct
}

// operations are those of world.Client: each of its methods that takes an SDK input, by name.
func operations() map[string]operation {
	known := map[string]operation{}
	for m := range reflect.TypeFor[*world.Client]().Methods() {
		if m.Type.NumIn() < 3 || m.Type.In(2).Kind() != reflect.Pointer {
			continue
		}
		if in := m.Type.In(2).Elem(); in.Name() == m.Name+"Input" {
			known[m.Name] = operation{m.Name, prefixOf(path.Base(in.PkgPath())), in}
		}
	}
	return known
}

// prefixOf is the IAM prefix of a service by its name in the SDK or in signatures.
func prefixOf(service string) string {
	switch service {
	case "eventbridge":
		return "events"
	case "monitoring":
		return "cloudwatch"
	}
	return service
}

// routes are the paths of EKS's operations, the only ones that are known by their path, as the SDK's model of EKS has them.
func (h *Handler) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, s := range []*smithy.Schema{
		schemas.ListClusters, schemas.DescribeCluster, schemas.DescribeAddon, schemas.DescribeAddonVersions, schemas.UpdateAddon, schemas.CreateAddon, schemas.DeleteAddon,
		schemas.ListNodegroups, schemas.DescribeNodegroup, schemas.ListFargateProfiles, schemas.DescribeFargateProfile,
		schemas.ListUpdates, schemas.DescribeUpdate, schemas.DescribeAddonConfiguration,
	} {
		if at, ok := smithy.SchemaTrait[*traits.HTTP](s); ok {
			mux.HandleFunc(at.Method+" "+at.URI, func(w http.ResponseWriter, r *http.Request) {
				h.answer(w, r, restJSON(), s.ID().Name)
			})
		}
	}
	return mux
}

// read puts what a request says into the operation's input.
func (op operation) read(r *http.Request, p protocol) (any, error) {
	body, err := bodyOf(r)
	var said any
	if err == nil && len(body) > 0 {
		said, err = p.parse(body)
	}
	if err != nil {
		return nil, invalid(err)
	}
	if r.Pattern != "" {
		said = withPath(said, op.input, r)
	}
	in := reflect.New(op.input)
	if err := fill(in.Elem(), said); err != nil {
		return nil, invalid(fmt.Errorf("%s: %w", op.name, err))
	}
	return in.Interface(), nil
}

// withPath adds what a path and its query say to what the body says.
func withPath(said any, input reflect.Type, r *http.Request) map[string]any {
	all := map[string]any{}
	for name, values := range r.URL.Query() {
		all[name] = values[0]
	}
	for f := range input.Fields() {
		name := lowerFirst(f.Name)
		if v := r.PathValue(name); v != "" {
			all[name] = v
		}
		if values := r.URL.Query()[name]; values != nil && f.Type.Kind() == reflect.Slice {
			all[name] = listOf(values)
		}
	}
	body, _ := said.(map[string]any)
	maps.Copy(all, body)
	return all
}

func listOf(texts []string) []any {
	list := make([]any, len(texts))
	for i := range texts {
		list[i] = texts[i]
	}
	return list
}

// signature is what the Authorization header says: AWS general reference, "Signature Version 4".
type signature struct{ key, region, service string }

func signatureOf(r *http.Request) (signature, error) {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	parts := strings.Split(credential, "/") // KEY/DATE/REGION/SERVICE/aws4_request
	if !found || len(parts) != 5 {
		return signature{}, &smithy.GenericAPIError{Code: "MissingAuthenticationToken", Message: "The request is not signed with Signature Version 4."}
	}
	return signature{parts[0], parts[2], prefixOf(parts[3])}, nil
}

// tryOf is the number of the SDK's try, which it says in "amz-sdk-request: attempt=2; max=3".
func tryOf(r *http.Request) int {
	var n int
	for part := range strings.SplitSeq(r.Header.Get("Amz-Sdk-Request"), ";") {
		_, _ = fmt.Sscanf(strings.TrimSpace(part), "attempt=%d", &n)
	}
	return cmp.Or(n, 1)
}
