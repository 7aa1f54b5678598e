"""How is it fitted? One engine under single fits, cohorts and transfers."""

from inrlens.fitting import meta_recipes as meta_recipes, recipes as recipes
