from .atoms.codes import Codes as Codes, encode as encode
from .atoms.edit import Ablation as Ablation, ablate as ablate, edit as edit
from .atoms.effects import Effects as Effects, effects as effects, psnr_drops as psnr_drops
from .atoms.footprint import Footprint as Footprint
from .atoms.groups import GroupCurve as GroupCurve, group_curve as group_curve, random_order as random_order
from .atoms.interactions import Interaction as Interaction, interactions as interactions
from .atoms.match import Match as Match, match as match
from .atoms.statistics import (
    AtomStatistics as AtomStatistics,
    atom_statistics as atom_statistics,
    mean_map as mean_map,
)
from .checkpoints import load as load, save as save
from .dictionaries.controls import (
    neurons as neurons,
    principal_components as principal_components,
    random_dictionary as random_dictionary,
)
from .dictionaries.evaluate import SaeQuality as SaeQuality, evaluate_sae as evaluate_sae
from .dictionaries.exchange.read import read_dictionary as read_dictionary
from .dictionaries.exchange.sparsify import write_sparsify as write_sparsify
from .dictionaries.health import LayerHealth as LayerHealth, layer_health as layer_health
from .dictionaries.recipe import SaeRecipe as SaeRecipe
from .dictionaries.topk import SparseAutoencoder as SparseAutoencoder
from .dictionaries.train import SaeFit as SaeFit, train_sae as train_sae, train_sae_many as train_sae_many
from .errors import InputError as InputError
from .explorer.from_objects import write_explorer as write_explorer
from .explorer.show import show as show
from .fields.backbone import Backbone as Backbone, backbone_names as backbone_names, make_backbone as make_backbone
from .fields.encoder import Encoder as Encoder
from .fields.exports.onnx_file import to_onnx as to_onnx
from .fields.exports.sequential import to_sequential as to_sequential
from .fields.field import Field as Field, initial_field as initial_field
from .fields.importers.read import network_layouts as network_layouts, read_network as read_network
from .fields.network import Network as Network
from .fields.wrap import Wrapped as Wrapped, wrap as wrap
from .fitting import meta_recipes as meta_recipes, recipes as recipes
from .fitting.compute import Compute as Compute
from .fitting.fit import fit as fit, fit_cohort as fit_cohort, fit_many as fit_many
from .fitting.history import Divergence as Divergence, Fit as Fit, Record as Record
from .fitting.meta import fit_maml as fit_maml, fit_reptile as fit_reptile
from .fitting.meta_recipes import MetaRecipe as MetaRecipe
from .fitting.recipes import Recipe as Recipe
from .fitting.transfer import TransferJob as TransferJob, transfer as transfer, transfer_many as transfer_many
from .hub.folder import save_pretrained as save_pretrained
from .hub.pull import from_pretrained as from_pretrained
from .hub.push import Pushed as Pushed, push_to_hub as push_to_hub
from .metrics import psnr as psnr, ssim as ssim
from .metrics.lpips import Lpips as Lpips, load_lpips as load_lpips
from .ranks.advice import FreezeAdvice as FreezeAdvice, freeze_advice as freeze_advice
from .ranks.scores import layer_scores as layer_scores
from .ranks.stable_rank import (
    activation_stable_ranks as activation_stable_ranks,
    encoding_stable_rank as encoding_stable_rank,
    stable_rank as stable_rank,
    weight_stable_ranks as weight_stable_ranks,
)
from .resume import Resume as Resume
from .signals.audio import Recording as Recording, load_audio as load_audio, save_audio as save_audio
from .signals.bundled import bundled_photos as bundled_photos, photo_sources as photo_sources
from .signals.folders import load_folder as load_folder
from .signals.frames import load_frames as load_frames
from .signals.images import load_image as load_image, save_image as save_image
from .signals.load import load_signal as load_signal, save_signal as save_signal
from .signals.mask import load_mask as load_mask
from .signals.nifti import save_volume as save_volume
from .signals.noise import noise_cohort as noise_cohort
from .signals.phantom import phantom as phantom
from .signals.signal import (
    Signal as Signal,
    coordinates as coordinates,
    coordinates_between as coordinates_between,
    signal_from_array as signal_from_array,
)
from .signals.speech import spoken_word as spoken_word
from .signals.volumes import load_volume as load_volume
from .studies.cells.build_plan import plan_study as plan_study
from .studies.config.read import read_study as read_study
from .studies.dictionary_sweep import run_sweep as run_sweep
from .studies.drive.driver import drive as drive
from .studies.drive.pool import LocalPool as LocalPool
from .studies.store.store import Store as Store
from .studies.sweep_plan import SweepPlan as SweepPlan
from .studies.tables.load_records import study_rows as study_rows

__version__: str
