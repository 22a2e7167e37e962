package declared_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/cniguard/cniguard/internal/remedy"
	"github.com/cniguard/cniguard/internal/world"
)

// resourceSchema are the arguments of aws_eks_addon (Terraform Registry, hashicorp/aws 6, "Resource: aws_eks_addon"). Blocks are left out.
func resourceSchema() map[string]cty.Type {
	return map[string]cty.Type{
		"addon_name": cty.String, "cluster_name": cty.String, "addon_version": cty.String, "configuration_values": cty.String,
		"resolve_conflicts_on_create": cty.String, "resolve_conflicts_on_update": cty.String, "preserve": cty.Bool, "region": cty.String,
		"service_account_role_arn": cty.String, "tags": cty.Map(cty.String),
	}
}

// moduleSchema are what an add-on has in the input addons (terraform-aws-modules/eks/aws 21, variables.tf).
func moduleSchema() map[string]cty.Type {
	all := resourceSchema()
	delete(all, "addon_name")
	delete(all, "cluster_name")
	delete(all, "region")
	maps.Copy(all, map[string]cty.Type{"name": cty.String, "before_compute": cty.Bool, "most_recent": cty.Bool})
	return all
}

// parsed is a file as Terraform reads it, at a desk whose files it names.
type parsed struct {
	body *hclsyntax.Body
	eval *hcl.EvalContext
}

func parse(t *testing.T, text string, file func(string) string) parsed {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(text), "x.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	read := function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(file(args[0].AsString())), nil
		},
	})
	return parsed{f.Body.(*hclsyntax.Body), &hcl.EvalContext{Functions: map[string]function.Function{"file": read}}}
}

// block is the one block of a type and labels.
func (p parsed) block(t *testing.T, kind string, labels ...string) *hclsyntax.Block {
	t.Helper()
	for _, b := range p.body.Blocks {
		if b.Type == kind && slices.Equal(b.Labels, labels) {
			return b
		}
	}
	t.Fatalf("there is no %s %q", kind, labels)
	return nil
}

func (p parsed) value(t *testing.T, e hcl.Expression) cty.Value {
	t.Helper()
	v, diags := e.Value(p.eval)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return v
}

// held are attributes of the right names and types.
func held(t *testing.T, all map[string]cty.Value, schema map[string]cty.Type) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for name, v := range all {
		switch want, known := schema[name]; {
		case !known:
			t.Errorf("there is no argument %s", name)
		case !v.Type().Equals(want):
			t.Errorf("%s is a %s, want a %s", name, v.Type().FriendlyName(), want.FriendlyName())
		case want == cty.String:
			texts[name] = v.AsString()
		}
	}
	if on := texts["resolve_conflicts_on_create"]; on != "" && on != "NONE" && on != "OVERWRITE" {
		t.Errorf("resolve_conflicts_on_create is %s", on)
	}
	return texts
}

// resource are the arguments of the resource.
func (p parsed) resource(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]cty.Value{}
	for name, a := range p.block(t, "resource", "aws_eks_addon", "vpc_cni").Body.Attributes {
		all[name] = p.value(t, a.Expr)
	}
	return held(t, all, resourceSchema())
}

// module are those of vpc-cni in the module's input.
func (p parsed) module(t *testing.T) map[string]string {
	t.Helper()
	addons := p.value(t, p.block(t, "module", "eks").Body.Attributes["addons"].Expr).AsValueMap()
	if len(addons) != 1 {
		t.Errorf("the input has %d add-ons", len(addons))
	}
	return held(t, addons["vpc-cni"].AsValueMap(), moduleSchema())
}

// imports is the ID that an import block names for a resource, written as "module.eks.x".
func (p parsed) imports(t *testing.T) (to, id string) {
	t.Helper()
	b := p.block(t, "import").Body
	for i, step := range b.Attributes["to"].Expr.(*hclsyntax.ScopeTraversalExpr).Traversal {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			to = s.Name
		case hcl.TraverseAttr:
			to += "." + s.Name
		case hcl.TraverseIndex:
			to += "[" + s.Key.AsString() + "]"
		default:
			t.Errorf("part %d of the address is %T", i, step)
		}
	}
	return to, p.value(t, b.Attributes["id"].Expr).AsString()
}

// provider does what the provider does with the resource (terraform-provider-aws, internal/service/eks/addon.go): CreateAddon sends all; UpdateAddon the
// version and the configuration values only where they changed, and the role wherever there is one.
func provider(want map[string]string, have *map[string]string) (w wish, do world.Deed) {
	w = wish{cluster: want["cluster_name"], version: want["addon_version"], role: want["service_account_role_arn"], config: want["configuration_values"],
		conflicts: want["resolve_conflicts_on_update"]}
	do = world.UpdateAddon
	if *have == nil {
		w.conflicts, do = want["resolve_conflicts_on_create"], world.CreateAddon
	} else if want["configuration_values"] == (*have)["configuration_values"] {
		w.config = ""
	}
	*have = want
	return w, do
}

func TestTerraformLeadsAllTheWay(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t, s)
			var state map[string]string
			if s.managed { // as an import finds it
				state = map[string]string{"addon_version": "v1.17.1-eksbuild.1", "service_account_role_arn": s.role(), "configuration_values": s.config}
			}
			var changes []world.Change
			for i, step := range fixed(t, s.facts(), remedy.Terraform).Steps {
				d.do(t, step.Before)
				if call(t, d.do(t, step.Change), "terraform", "apply", "vpc-cni.tfplan") == nil {
					t.Error("nothing is applied")
				}
				at := func(name string) string { return d.read(t, name) }
				want := parse(t, at("vpc-cni.tf"), at).resource(t)
				if i == 0 {
					both(t, s, want, at)
				}
				w, do := provider(want, &state)
				changes = append(changes, s.change(t, w, do, i+1))
				d.do(t, step.After)
				back(t, s, step, at)
			}
			s.close(t, changes)
		})
	}
}

// both holds that the module says what the resource says, and that each is imported as what it is.
func both(t *testing.T, s scene, want map[string]string, at func(string) string) {
	t.Helper()
	module := parse(t, at("vpc-cni-module.hcl"), at)
	same := maps.Clone(want)
	delete(same, "addon_name")
	delete(same, "cluster_name")
	if diff := cmp.Diff(same, module.module(t)); diff != "" {
		t.Errorf("the module (-resource +module):\n%s", diff)
	}
	if !s.managed {
		return
	}
	for want, p := range map[string]parsed{"aws_eks_addon.vpc_cni": parse(t, at("vpc-cni-import.tf"), at), "module.eks.aws_eks_addon.this[vpc-cni]": module} {
		if to, id := p.imports(t); to != want || id != s.id().Name+":vpc-cni" {
			t.Errorf("%s is imported as %s, want %s", id, to, want)
		}
	}
}

// back holds that the way back names the version before, and nothing else that is new.
func back(t *testing.T, s scene, step remedy.Step, at func(string) string) {
	t.Helper()
	for _, f := range step.Back.Files {
		if filepath.Ext(f.Name) != ".tf" {
			continue
		}
		want, got := parse(t, at("vpc-cni.tf"), at).resource(t), parse(t, f.Text, at).resource(t)
		want["addon_version"] = step.From
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the way back (-want +got):\n%s", diff)
		}
	}
	if len(step.Back.Files) == 0 && (s.managed || strings.Contains(step.From, "eksbuild")) {
		t.Error("there is no way back")
	}
}
