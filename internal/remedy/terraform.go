package remedy

import (
	"fmt"
	"strings"
)

// terraform changes the version of the resource aws_eks_addon, or of the input of the module terraform-aws-eks.
func terraform(f Facts) (Fix, error) {
	notes := []string{
		"The provider must be that of account " + f.Cluster.Account + " and region " + f.Cluster.Region + ".",
		"Where your code has this add-on already, in whatever form, change its addon_version alone; the rest shows what must stay as it is.",
		"Tags and pod identity associations that the add-on has and your code has not would be removed: add them where the plan says so.",
	}
	if f.hasValues() && f.Managed {
		notes = append(notes, "Terraform sends configuration values only where they change, and EKS is not documented to keep those that it is not sent:"+
			" the check after each step compares them.",
			"The code reads "+valuesFile+": commit it with the code unless it is secret; else take the values from where you keep secrets."+
				" vpc-cni.tfplan has them too.")
	}
	fix := Fix{
		Method: Terraform, Notes: f.notes(notes...),
		Checked: "The files are read by HCL's own parser, their attributes held against the documentation of the provider and of the module," +
			" and what they say is done to a simulated cluster.",
		Unchecked: "No Terraform was run: the provider, without which it makes no plan, cannot be had where the checks run." +
			" That the plan shows nothing else is for a person to see.",
	}
	var err error
	fix.Steps, err = f.declared(f.terraformStep)
	return fix, err
}

func (f Facts) terraformStep(s *Step, i int) {
	s.Before.Say = append(s.Before.Say, "Then write the files below, and read the plan: "+f.planned(*s, i)+". Nothing is changed yet.")
	s.Before.Files = append(s.Before.Files, f.terraformFiles(s.To, i)...)
	s.Before.Run = append(s.Before.Run, "terraform init", "terraform plan -out=vpc-cni.tfplan")
	s.Change.Say = append(s.Change.Say, "Apply the plan that you read.")
	s.Change.Run = []string{"terraform apply vpc-cni.tfplan"}
	s.Wait = Part{Say: []string{"Terraform waits itself, 20 minutes at most, and ends with an error where EKS says that it did not work."}}
	if f.takes(i) {
		s.Wait.Say = append(s.Wait.Say, "Where it does, look before you apply anything again: Terraform would delete the add-on first, and make it anew.")
		s.Back = f.released(*s, "terraform state rm aws_eks_addon.vpc_cni")
		s.Back.Say = append([]string{"Take the block out of your code first, or the next apply makes the add-on again." +
			` In the module's form the address is module.eks.aws_eks_addon.this["vpc-cni"].`}, s.Back.Say...)
		return
	}
	s.Back = Part{
		Say:   []string{"Set addon_version to " + s.From + ", in whatever form your code has it. Read the plan before you apply it."},
		Files: []File{{"vpc-cni.tf", f.resource(s.From)}},
		Run:   []string{"terraform plan -out=vpc-cni.tfplan", "terraform apply vpc-cni.tfplan"},
	}
}

// planned is what the plan of a step must show.
func (f Facts) planned(s Step, i int) string {
	switch {
	case f.takes(i):
		return "it creates the one resource aws_eks_addon, and changes and destroys nothing"
	case i == 0:
		return fmt.Sprintf("it changes addon_version from %s to %s in place, imports the add-on where your state has it not,"+
			" may set resolve_conflicts_on_update and preserve, and creates, replaces and destroys nothing", s.From, s.To)
	}
	return fmt.Sprintf("it changes addon_version from %s to %s in place, and nothing else", s.From, s.To)
}

// terraformFiles are the resource, what has it imported, and the same in the words of the module. Its file is named so that Terraform does not
// read both.
func (f Facts) terraformFiles(to string, i int) []File {
	files := []File{{"vpc-cni.tf", f.resource(to)}}
	if i > 0 {
		return files
	}
	if f.Managed {
		files = append(files, File{"vpc-cni-import.tf", f.imported("aws_eks_addon.vpc_cni", "")})
	}
	return append(files, File{"vpc-cni-module.hcl", f.module(to)})
}

// resource is the add-on as the provider knows it (Terraform Registry, hashicorp/aws, "Resource: aws_eks_addon").
func (f Facts) resource(to string) string {
	rows := [][2]string{{"cluster_name", doubleQuoted(f.Cluster.Name)}, {"addon_name", `"vpc-cni"`}}
	return "resource \"aws_eks_addon\" \"vpc_cni\" {\n" + aligned("  ", append(rows, f.arguments(to)...)) + "}\n"
}

// arguments are what the resource and the module have in common, by the same names.
func (f Facts) arguments(to string) [][2]string {
	rows := [][2]string{{"addon_version", doubleQuoted(to)}}
	if role := f.serviceRole(); role != "" {
		rows = append(rows, [2]string{"service_account_role_arn", doubleQuoted(role)})
	}
	if f.hasValues() {
		rows = append(rows, [2]string{"configuration_values", `file("` + valuesFile + `")`})
	}
	if !f.Managed {
		rows = append(rows, [2]string{"resolve_conflicts_on_create", `"OVERWRITE"`})
	}
	return append(rows, [2]string{"resolve_conflicts_on_update", `"PRESERVE"`}, [2]string{"preserve", "true"})
}

// imported takes the add-on into the state. The block needs Terraform 1.5.
func (f Facts) imported(to, indent string) string {
	rows := [][2]string{{"to", to}, {"id", doubleQuoted(f.Cluster.Name + ":vpc-cni")}}
	return indent + "# Terraform 1.5 and later. Where your state has the add-on already, leave this out.\n" +
		indent + "import {\n" + aligned(indent+"  ", rows) + indent + "}\n"
}

// module is the same in the words of terraform-aws-eks, whose own defaults are most_recent = true and OVERWRITE on update
// (terraform-aws-eks, variables.tf and docs/UPGRADE-21.0.md).
func (f Facts) module(to string) string {
	rows := append([][2]string{{"most_recent", "false"}}, f.arguments(to)...)
	text := "# In place of vpc-cni.tf, where the module terraform-aws-modules/eks/aws makes the cluster: only vpc-cni is to be changed there.\n" +
		"# The input is addons from v21 on, and cluster_addons before.\n" +
		"module \"eks\" {\n  addons = {\n    vpc-cni = {\n" + aligned("      ", rows) + "    }\n  }\n}\n"
	if f.Managed {
		text += "\n# Where vpc-cni has before_compute = true, it is aws_eks_addon.before_compute.\n" + f.imported(`module.eks.aws_eks_addon.this["vpc-cni"]`, "")
	}
	return text
}

// aligned are attributes of a block, as terraform fmt writes them.
func aligned(indent string, rows [][2]string) string {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r[0]))
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s%-*s = %s\n", indent, widest, r[0], r[1])
	}
	return b.String()
}
