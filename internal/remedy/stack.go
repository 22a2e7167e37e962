package remedy

import (
	"fmt"
	"strings"

	"github.com/cniguard/cniguard/internal/plain"
)

// template is the stack that has the add-on and nothing else (CloudFormation template reference, AWS::EKS::Addon). What it deletes stays.
func (f Facts) template(version, conflicts string) string {
	var b strings.Builder
	b.WriteString("AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: The VPC CNI of an EKS cluster\n")
	if f.Managed && f.Configured {
		b.WriteString("Parameters:\n  ConfigurationValues:\n    Type: String\n    NoEcho: true\n    Description: Configuration values of the add-on\n")
	}
	b.WriteString("Resources:\n  VpcCni:\n    Type: AWS::EKS::Addon\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n")
	fmt.Fprintf(&b, "      ClusterName: %s\n      AddonName: vpc-cni\n      AddonVersion: %s\n", doubleQuoted(f.Cluster.Name), doubleQuoted(version))
	if role := f.serviceRole(); role != "" {
		fmt.Fprintf(&b, "      ServiceAccountRoleArn: %s\n", doubleQuoted(role))
	}
	if values := f.translated(); values != "" {
		fmt.Fprintf(&b, "      ConfigurationValues: %s\n", doubleQuoted(values))
	} else if f.Managed && f.Configured {
		b.WriteString("      ConfigurationValues: !Ref ConfigurationValues\n")
	}
	fmt.Fprintf(&b, "      ResolveConflicts: %s\n      PreserveOnDelete: true\n", conflicts)
	return b.String()
}

// cdk is the same in the CDK's words, for TypeScript (AWS CDK API reference, aws_eks.CfnAddon).
func (f Facts) cdk(version, conflicts string) File {
	var b strings.Builder
	b.WriteString("import { RemovalPolicy, Stack, StackProps, aws_eks as eks } from 'aws-cdk-lib';\nimport { Construct } from 'constructs';\n")
	if f.hasValues() {
		b.WriteString("import { readFileSync } from 'node:fs';\n")
	}
	b.WriteString("\nexport class VpcCniStack extends Stack {\n  constructor(scope: Construct, id: string, props?: StackProps) {\n" +
		"    super(scope, id, props);\n")
	fmt.Fprintf(&b, "    const addon = new eks.CfnAddon(this, 'VpcCni', {\n      clusterName: %s,\n      addonName: 'vpc-cni',\n      addonVersion: %s,\n",
		jsonQuoted(f.Cluster.Name), jsonQuoted(version))
	if role := f.serviceRole(); role != "" {
		fmt.Fprintf(&b, "      serviceAccountRoleArn: %s,\n", jsonQuoted(role))
	}
	if f.hasValues() {
		fmt.Fprintf(&b, "      configurationValues: readFileSync('%s', 'utf8'),\n", valuesFile)
	}
	fmt.Fprintf(&b, "      resolveConflicts: '%s',\n      preserveOnDelete: true,\n    });\n", conflicts)
	b.WriteString("    addon.applyRemovalPolicy(RemovalPolicy.RETAIN);\n  }\n}\n")
	return File{"vpc-cni-stack.ts", b.String()}
}

// cdkWay is how the first step goes with the CDK, and how the others do.
func (f Facts) cdkWay(first string) string {
	then := "in each further step change addonVersion"
	if first == "deploy" {
		then += " and set resolveConflicts to 'PRESERVE'"
	}
	text := "With the CDK, vpc-cni-stack.ts takes the place of these files and commands: read " + plain.Command("npx", "cdk", "diff") +
		", then run " + plain.Command("npx", "cdk", first) + "; " + then + ", read the difference again, and run " + plain.Command("npx", "cdk", "deploy") + "."
	if f.hasValues() {
		text += " It reads " + valuesFile + ", to be committed with the code unless it is secret, and writes the values into the template: keep cdk.out out of the repository."
	}
	return text
}
