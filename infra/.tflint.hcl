plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The tables of each README are held to the variables by checks/conventions.ts, and files are named for what is in them.
rule "terraform_standard_module_structure" {
  enabled = false
}

# Modules are handed the second provider by whoever calls them.
rule "terraform_unused_required_providers" {
  enabled = true
}
