"""How is it fitted? One engine under single fits, cohorts and transfers."""

from inrlens.fitting import recipes as recipes
